// TypeORM in data-mapper style; entities by EntitySchema, so that no decorators are needed.

import 'reflect-metadata'
import { DataSource, EntitySchema } from 'typeorm'
import { sql } from '../schema.ts'
import { type NewItem, poolSize, type System, type UserRow } from '../works.ts'

interface User extends UserRow {
  posts: Post[]
}
interface Post {
  id: number
  title: string
  createdAt: Date
  author: User
}

const User = new EntitySchema<User>({
  name: 'User',
  tableName: 'users',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    email: { type: 'text' },
    fullName: { type: 'text', name: 'full_name', nullable: true },
    isActive: { type: 'bool', name: 'is_active' },
    createdAt: { type: 'timestamptz', name: 'created_at' },
  },
  relations: { posts: { type: 'one-to-many', target: 'Post', inverseSide: 'author' } },
})
const Post = new EntitySchema<Post>({
  name: 'Post',
  tableName: 'posts',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    title: { type: 'text' },
    createdAt: { type: 'timestamptz', name: 'created_at' },
  },
  relations: {
    author: { type: 'many-to-one', target: 'User', joinColumn: { name: 'author_id' }, inverseSide: 'posts' },
  },
})
const itemColumns = { n: { type: 'int', primary: true }, label: { type: 'text' }, price: { type: 'float8' } } as const
const Item = new EntitySchema<NewItem>({ name: 'Item', tableName: 'items', columns: itemColumns })
const NewItemEntity = new EntitySchema<NewItem>({ name: 'NewItem', tableName: 'new_items', columns: itemColumns })
const Order = new EntitySchema<{ id: number; customer: string }>({
  name: 'Order',
  tableName: 'orders',
  columns: { id: { type: 'int', primary: true, generated: 'increment' }, customer: { type: 'text' } },
})
const OrderLine = new EntitySchema<{ orderId: number; product: string; quantity: number }>({
  name: 'OrderLine',
  tableName: 'order_lines',
  columns: {
    orderId: { type: 'int', name: 'order_id', primary: true },
    product: { type: 'text', primary: true },
    quantity: { type: 'int' },
  },
})

export async function open(url: string): Promise<System> {
  const source = new DataSource({
    type: 'postgres',
    url,
    poolSize,
    entities: [User, Post, Item, NewItemEntity, Order, OrderLine],
  })
  await source.initialize()
  const users = source.getRepository(User)
  const items = source.getRepository(Item)
  const columns = (items: readonly NewItem[]) => [
    items.map((item) => item.n),
    items.map((item) => item.label),
    items.map((item) => item.price),
  ]
  return {
    pointLookup: (id) => users.findOneBy({ id }),
    // Two columns of one field are nothing that an entity has.
    rows1000: () => source.query(sql.rows1000),
    rows100: () => source.query(sql.rows100),
    usersWithPosts: () =>
      users.find({
        select: { id: true, email: true, fullName: true },
        relations: { posts: true },
        order: { id: 'asc' },
        take: 100,
      }),
    insertInTransaction: (n) =>
      source.transaction(async (manager) => {
        const { identifiers } = await manager.insert(Order, { customer: `customer ${n}` })
        return identifiers[0]!.id
      }),
    twoInsertsInTransaction: (n) =>
      source.transaction(async (manager) => {
        const { identifiers } = await manager.insert(Order, { customer: `customer ${n}` })
        await manager.insert(OrderLine, { orderId: identifiers[0]!.id, product: 'book', quantity: n % 10 })
        return identifiers[0]!.id
      }),
    bulkInsert: async (items) => {
      const result = await source
        .createQueryBuilder()
        .insert()
        .into(NewItemEntity)
        .values(items as NewItem[])
        .execute()
      return result.identifiers.length
    },
    bulkUpdate: async (items) => (await source.query(sql.updateItems, columns(items)))[1],
    bulkUpsert: async (rows) => (await items.upsert(rows as NewItem[], ['n'])).identifiers.length,
    report: () => source.query(sql.report),
    close: () => source.destroy(),
  }
}
