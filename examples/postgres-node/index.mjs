import pg from 'pg';

// Opened once per execution environment, before its first call, and kept while
// the environment is warm: a call pays for a query, not for a connection.
const db = new pg.Client({ connectionString: process.env.DATABASE_URL });
await db.connect();
await db.query('CREATE TABLE IF NOT EXISTS visits (at timestamptz NOT NULL, backend int NOT NULL)');

export const handler = async () => {
  const { rows } = await db.query(
    'INSERT INTO visits VALUES (now(), pg_backend_pid()) RETURNING backend',
  );
  const { rows: [{ visits }] } = await db.query('SELECT count(*)::int AS visits FROM visits');
  return { visits, connection: rows[0].backend };
};
