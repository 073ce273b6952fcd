// A script of your own against your own database: prints a user and the titles of the user's posts.
// DATABASE_URL=postgres://… npx tsx examples/script.ts ada@example.com

import { createDatabase } from 'plainsql'
import { listPostsByAuthor } from '../sql/posts.sql.ts'
import { getUserByEmail } from '../sql/users.sql.ts'

const [email] = process.argv.slice(2)
if (email === undefined) throw new Error('usage: script.ts <e-mail address>')

await using db = createDatabase({ url: process.env.DATABASE_URL })

const user = await getUserByEmail(db, { email })
if (user === null) {
  console.log(`There is no user ${email}.`)
} else {
  console.log(`${user.fullName ?? user.email}, since ${user.createdAt.getFullYear()}`)
  for (const post of await listPostsByAuthor(db, { authorId: user.id })) console.log(`- ${post.title}`)
}
