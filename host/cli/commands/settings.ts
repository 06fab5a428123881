/**
 * `config`: which settings are in force, and where each is from.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { option } from "@optique/core/primitives";
import { envFile } from "../../config/env_file.ts";
import { settingsTable, type Shown, strangers, strangerText } from "../../config/mod.ts";
import { printable } from "../present/format.ts";
import { type Column, table } from "../present/table.ts";
import { defineCommand, type Entry } from "./command.ts";

/** The command. */
export const settings: Entry = defineCommand(
  "config",
  message`Show the settings that are in force and where each is from; secrets are left out.`,
  ["in this folder", "config"],
  object({
    table: option("--table", { description: message`The table of all settings, as Markdown.` }),
    template: option("--template", {
      description: message`A file of all settings to fill in, as for ~/.vramhub/.env.`,
    }),
  }),
  ({ config, surroundings }, args) => {
    if (args.table) {
      const markdown = settingsTable();
      return Promise.resolve({ json: { markdown }, text: () => [markdown.trimEnd()] });
    }
    if (args.template) {
      const template = envFile();
      return Promise.resolve({ json: { template }, text: () => [template.trimEnd()] });
    }
    const rows = config.shown();
    const unknown = strangers(surroundings);
    const columns: Column<Shown>[] = [
      { name: "setting", rank: 0, align: "left", text: ({ name }) => name },
      { name: "value", rank: 0, align: "left", text: ({ value }) => printable(value) },
      { name: "from", rank: 1, align: "left", text: ({ source }) => source },
    ];
    return Promise.resolve({
      json: { settings: rows, unknown: unknown.map(({ name }) => name) },
      text: (paint, width) => [
        ...(rows.length === 0
          ? ["nothing is set: the defaults hold"]
          : table(columns, rows, width, paint)),
        ...unknown.map((one) => paint("warn", strangerText(one))),
      ],
    });
  },
);
