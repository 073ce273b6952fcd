create table "Odd Table" (id int primary key, "Mixed Case" text not null, __proto__ text not null, "back`tick ${x} \d" text not null);
