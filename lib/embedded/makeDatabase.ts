// CREATE DATABASE, in the way that is the fastest on the server at hand.
// In: a connection of a role that may create databases. Out: the database, empty or a copy of the template.

/** What is needed of pg's client. With its own type, `plainsql/testing` could not be compiled without @types/pg. */
interface Client {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
}

/**
 * Where the server waits for no disk, as the embedded one, files are copied, which takes a third of the time. Elsewhere
 * that would cost a checkpoint: there PostgreSQL's own default is right, the pages by way of the WAL (15 and later; before,
 * there was nothing but copying).
 */
export async function makeDatabase(client: Client, name: string, template?: string): Promise<void> {
  const { rows } = await client.query(
    "select where current_setting('fsync') = 'off' and current_setting('server_version_num')::int >= 150000",
  )
  const options = `${template ? ` template ${template}` : ''}${rows.length > 0 ? ' strategy file_copy' : ''}`
  await client.query(`create database ${name}${options}`)
}
