/**
 * Ids that belong to another package: upstream's network, as its README and its `.env.example` files name it. Its
 * modules have the names of ours and another state, so that a call would fail late, or not at all.
 *
 * @module
 */

/** By the name that upstream gives each; those with less than 64 digits are as much as was published of them. */
const UPSTREAM: Readonly<Record<string, string>> = {
  "0xaff18bf6286047126901610d758d8fd111c9215a6e46abc704b6a0be838badd5": "package",
  "0x50a9982f6a3d6c1e6674f0fb4fa8b985007dbe19fc797abc691579be1f6493df": "PeerRegistry",
  "0x438d0ce63d40210d4e621cca6aaaf5d5438adaa54dfd71383fe41a82692a2561": "ValidatorRegistry",
  "0x442b82e471c1ee4577ea1f2168deb1f0b04fcc861ab79edb4b9c7d7738bf7f9f": "EnclaveRegistry",
  "0x0d2594727abeb45a13763baf8801ae765fbe41d147b28916ca78a0d08f73223a": "ScoreLedger",
  "0xc1f18dc92629907641bc3176449af39738d2d8a93b4ad6b22548f4aed91d2611": "RoundState",
  "0x18b884530033f9b3e449b898c540ee5d3a25c4cab0abcf4843ef8e86e12adbfc": "Hparams",
  "0x576ebeb78449ad46ef70dc3c5ca4e38d178846610bd7cf9f0764ae2f1dc0fe93": "RewardPool",
  "0xb481254350087569f904fe6fc45c337c0905651040791e532e0f044b9fc7474c": "TrainingJobBoard",
  "0xb7b988cc": "package of .env.example",
  "0x48703e08": "package of the validator's .env.example",
};

/** Why `id` must not be used, or undefined. */
export function foreignId(id: string): string | undefined {
  const [, what] = Object.entries(UPSTREAM).find(([known]) => id.startsWith(known)) ?? [];
  return what === undefined
    ? undefined
    : `it is upstream's ${what}, of another package than this program speaks to; take the ids that ` +
      "'ledger publish' wrote, or leave them out";
}
