import pg from 'pg';

/** An id by time (version 7) as an expression, for PostgreSQL before 18: a random one, whose first six bytes become the time. */
const id_by_time = `encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
  placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid`;

const forms = {
  'gen_random_uuid()': 'gen_random_uuid()',
  'by time, as an expression': id_by_time,
  'by time, as a function in SQL': 'public.bench_id_sql()',
  'by time, as a function in PL/pgSQL': 'public.bench_id_plpgsql()',
};
const rounds = 5;
const ids_a_round = 50_000;

/** Microseconds that each form takes within a running statement, the best of five rounds. */
export async function timeIdForms(url: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const times: Record<string, string> = {};
  try {
    await client.query(`
      begin;
      create function public.bench_id_sql() returns uuid language sql volatile parallel safe set search_path = ''
        as $$ select ${id_by_time} $$;
      create function public.bench_id_plpgsql() returns uuid language plpgsql volatile parallel safe set search_path = ''
        as $$ begin return ${id_by_time}; end $$;
    `);
    for (const [name, form] of Object.entries(forms)) {
      const rounds_ms: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const started = performance.now();
        await client.query(
          `select count(id) from (select ${form} as id from generate_series(1, ${ids_a_round}) offset 0) as ids`,
        );
        rounds_ms.push(performance.now() - started);
      }
      times[name] = ((Math.min(...rounds_ms) * 1000) / ids_a_round).toFixed(1);
    }
    return times;
  } finally {
    await client.query('rollback');
    await client.end();
  }
}
