import assert from "node:assert/strict";
import { parseExplorerArgs } from "../../host/cli/args_explorer.ts";
import {
  parseNetworkAggregatorArgs,
  parseNetworkArgs,
  parseNetworkMinerArgs,
} from "../../host/cli/args_network.ts";
import { parseDotenv } from "../../host/config/dotenv.ts";
import { read, ROOT } from "../house/sources.ts";

const COMMANDS = {
  aggregator: parseNetworkAggregatorArgs,
  explorer: parseExplorerArgs,
  miner: parseNetworkMinerArgs,
  validator: parseNetworkArgs,
};
const FLAVOURS = ["user", "system"] as const;
const FOLDER = "host/install/systemd";
const SYSTEM_HOME = "/var/lib/vram";

/** A unit: `Section.Name` with its values, in order. Anything that is no unit's line fails. */
function parseUnit(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section: string | undefined;
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[(Unit|Service|Install)\]$/.exec(line);
    if (header !== null) {
      section = header[1];
      continue;
    }
    const [, name, value] = /^([A-Z][A-Za-z]*)=(.*)$/.exec(line) ?? [];
    assert.ok(section !== undefined && name !== undefined, `no unit's line: ${line}`);
    found.set(`${section}.${name}`, [...found.get(`${section}.${name}`) ?? [], value!]);
  }
  return found;
}

for (const flavour of FLAVOURS) {
  const home = flavour === "user" ? "%h" : SYSTEM_HOME;
  for (const [name, parse] of Object.entries(COMMANDS)) {
    Deno.test(`systemd: vram-${name}.service of a ${flavour} starts its command, locked down`, () => {
      const text = read(`${FOLDER}/${flavour}/vram-${name}.service`);
      const unit = parseUnit(text);
      const one = (key: string) => {
        const values = unit.get(`Service.${key}`) ?? [];
        assert.ok(values.length <= 1, `${key} stands there twice`);
        return values[0];
      };
      const own = `VRAM_${name.toUpperCase()}_ARGS`;
      assert.equal(one("ExecStart"), `${home}/.local/bin/vram-${name} $${own}`);
      assert.equal(one("EnvironmentFile"), `-${home}/.vramhub/.env`);
      assert.equal(one("Restart"), "always");
      assert.equal(one("RestartPreventExitStatus"), "2");
      assert.equal(one("NoNewPrivileges"), "yes");
      assert.equal(one("UMask"), "0077");
      assert.equal(one("MemoryDenyWriteExecute"), undefined);
      assert.match(one("RestrictAddressFamilies")!, /^AF_UNIX AF_INET AF_INET6/);
      if (flavour === "system") {
        assert.equal(one("User"), "vram");
        assert.equal(one("ProtectSystem"), "strict");
        assert.equal(one("CapabilityBoundingSet"), "");
      }
      const wanted = flavour === "user" ? "default.target" : "multi-user.target";
      assert.deepEqual(unit.get("Install.WantedBy"), [wanted]);
      // The options that it gives as an example are the command's.
      const [, example] = new RegExp(`${own} in\\n# ~/.vramhub/.env, e.g. (.*)\\.$`, "m")
        .exec(text)!;
      const [line] = parseDotenv(`${own}=${example}`, "the file");
      parse(line!.value.split(" "), {
        stdout() {},
        stderr: (said) => assert.fail(said),
        exit: (status) => assert.fail(`status ${status}`),
      });
    });
  }
}

const analyze = await new Deno.Command("systemd-analyze", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

for (const flavour of FLAVOURS) {
  Deno.test({
    name: `systemd: systemd-analyze has nothing to say of the units of a ${flavour}`,
    ignore: !analyze,
    async fn() {
      const dir = await Deno.makeTempDir({ prefix: "vramhub-" });
      try {
        await Deno.mkdir(`${dir}/.local/bin`, { recursive: true });
        await Deno.mkdir(`${dir}/units`);
        for (const name of Object.keys(COMMANDS)) {
          const program = `${dir}/.local/bin/vram-${name}`;
          await Deno.writeTextFile(program, "#!/bin/sh\n", { mode: 0o755 });
          const text = read(`${FOLDER}/${flavour}/vram-${name}.service`)
            .replaceAll(SYSTEM_HOME, dir);
          await Deno.writeTextFile(`${dir}/units/vram-${name}.service`, text);
        }
        const units = Object.keys(COMMANDS).map((name) => `${dir}/units/vram-${name}.service`);
        const { stderr } = await new Deno.Command("systemd-analyze", {
          args: ["verify", "--man=no", ...(flavour === "user" ? ["--user"] : []), ...units],
          env: { HOME: dir, XDG_RUNTIME_DIR: dir },
        }).output();
        const said = new TextDecoder().decode(stderr).split("\n")
          .filter((line) => line.includes("vram-"));
        assert.deepEqual(said, []);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  });
}

Deno.test("pm2: every command is started by its name, and not again where it was called wrongly", () => {
  const { apps } = JSON.parse(read("host/install/pm2.config.json"));
  assert.deepEqual(
    // deno-lint-ignore no-explicit-any -- as the file has it
    apps.map((app: any) => app.script).sort(),
    Object.keys(COMMANDS).map((name) => `vram-${name}`).sort(),
  );
  for (const app of apps) {
    assert.equal(app.name, app.script);
    assert.equal(app.interpreter, "none");
    assert.deepEqual(app.stop_exit_codes, [2]);
  }
});

Deno.test("Containerfile: leaves Deno and its hash to install.sh, copies nothing that is not there", () => {
  const text = read("host/install/Containerfile");
  assert.match(text, /^# Untried/);
  assert.match(text, /^RUN sh \/source\/install\.sh --from \/source /m);
  assert.doesNotMatch(text, /^(ADD|ARG)\b/m);
  assert.ok(Deno.statSync(new URL("install.sh", ROOT)).mode! & 0o100);
});
