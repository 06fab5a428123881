/**
 * Test support: a ledger over scripted messages, with a wallet and a clock that stands.
 *
 * @module
 */
import { TransactionDataBuilder } from "@mysten/sui/transactions";
import { EVENTS } from "./layout/events.ts";
import { Clock, CLOCK_ID } from "./layout/framework.ts";
import { encode } from "./layout/layout.ts";
import { SuiLedger } from "./sui_ledger.ts";
import {
  coinsPage,
  DIGEST,
  epochStep,
  executedMessage,
  idOf,
  objectMessage,
  objectsFrom,
  PROFILE,
  ScriptedTransport,
  type Step,
} from "./testing.ts";
import { Wallet } from "./wallet.ts";

/** The wallet: a public vector of MystenLabs/ts-sdks. */
export const WALLET: Wallet = Wallet.fromPrivateKey(
  "suiprivkey1qrwsjvr6gwaxmsvxk4cfun99ra8uwxg3c9pl0nhle7xxpe4s80y05ctazer",
);
/** Its address. */
export const ME: string = WALLET.address;
/** The chain's time. */
export const NOW = 1_700_000_000_000;

/** A ledger over `objects` and further answers. */
export async function connect(
  objects: Map<string, object>,
  ...steps: Step[]
): Promise<{ ledger: SuiLedger; script: ScriptedTransport }> {
  const content = encode(Clock, { id: CLOCK_ID, timestamp_ms: NOW });
  objects.set(CLOCK_ID, objectMessage(CLOCK_ID, { content }));
  const script = new ScriptedTransport(
    { method: "GetServiceInfo", answer: { chainId: PROFILE.chainId } },
    ...Array.from({ length: 20 }, () => objectsFrom(objects)),
    ...steps,
  );
  const ledger = await SuiLedger.connect(PROFILE, {
    transport: script.transport,
    wallet: WALLET,
    now: () => NOW,
    patience: { sleep: () => Promise.resolve() },
  });
  return { ledger, script };
}

/** A call's steps: coins, epoch, simulation, execution with `events`. */
export function calls(...events: (readonly [kind: string, fields: object])[]): Step[] {
  const raw = events.map(([kind, fields]) => {
    const [module, name] = kind.split("::") as [string, string];
    return [`${PROFILE.packageId}::${kind}`, encode(EVENTS[module]![name]!, fields)] as const;
  });
  return [
    coinsPage(ME, [[idOf(0xc0), 5n, 10n ** 12n]]),
    epochStep(5n),
    {
      method: "SimulateTransaction",
      answer: { transaction: executedMessage(DIGEST), commandOutputs: [] },
    },
    {
      method: "ExecuteTransaction",
      answer: ({ transaction }: { transaction: { bcs: { value: Uint8Array } } }) => ({
        transaction: executedMessage(
          TransactionDataBuilder.getDigestFromBytes(transaction.bcs.value),
          raw,
        ),
      }),
    },
  ];
}
