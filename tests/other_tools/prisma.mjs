// Prisma's own schema engine, without the program that the command line downloads:
// `node prisma.mjs deploy`, `node prisma.mjs rolled-back NAME`.
import fs from "node:fs";
import { SchemaEngine } from "@prisma/schema-engine-wasm";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";

const [verb, name] = process.argv.slice(2);
const baseDir = `${process.cwd()}/prisma/migrations`;
const adapter = new PrismaPg(
  { connectionString: process.env.DATABASE_URL, options: "-c search_path=store" },
  { schema: "store" },
);
const engine = await SchemaEngine.new(
  { datamodels: [["schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n']] },
  () => {},
  bindMigrationAwareSqlAdapterFactory(adapter),
);
if (verb === "rolled-back") {
  await engine.markMigrationRolledBack({ migrationName: name });
} else {
  const value = (path) => fs.readFileSync(`${baseDir}/${path}/migration.sql`, "utf8");
  await engine.applyMigrations({
    migrationsList: {
      baseDir,
      lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
      shadowDbInitScript: "",
      migrationDirectories: fs.readdirSync(baseDir).sort().map((path) => ({
        path,
        migrationFile: { path: "migration.sql", content: { tag: "ok", value: value(path) } },
      })),
    },
    filters: { externalTables: [], externalEnums: [] },
  });
}
process.exit(0);
