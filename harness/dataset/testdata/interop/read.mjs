// Reads a data set with DuckDB and prints what it found as JSON.
//   node read.mjs DIR SQL...
import { DuckDBInstance } from "@duckdb/node-api";
const [dir, ...queries] = process.argv.slice(2);
process.chdir(dir);
const db = await (await DuckDBInstance.create(":memory:")).connect();
const out = [];
for (const q of queries) {
  const rows = await (await db.runAndReadAll(q)).getRowObjectsJson();
  out.push(rows);
}
console.log(JSON.stringify(out));
