/// Data sets: their roots, who trains on which page, and Merkle proofs.
#[test_only]
module vramhub::dataset_registry_tests;

use std::unit_test::assert_eq;
use sui::bcs;
use sui::event;
use vramhub::dataset_registry::{Self as datasets, DatasetRegistered, DatasetRetired};
use vramhub::scenario::{Self, Network};

const TOKENIZER: vector<u8> = x"5f97e3774c51edd1d63706c2ec3826c564a067794770cdab0f8c4797971cacf9";
const MERKLE: vector<u8> = x"9aac0c9e0b05b490ccb7247f066fb4eb154d36bcfec23f058dac235b03c2575d";
const ROOT: vector<u8> = x"ec9b65693b492ae4ce1f57607bc72da8b5fa12a99a51392345109dc0e22e178e";
const BEACON: vector<u8> = x"2f5234a910f4c4722462af127e4d5bd1e5b767dbec956710d095a6c1fb428dd1";
const WINDOW: u64 = 2_957_300;
/// Root of five pages; page 3's leaf and proof, and page 4's.
const FIVE: vector<u8> = x"3f49309302cc679ccb777724876824b3109613c9df5b320058c2e1f58fa10fd6";

const LEAF_3: vector<u8> = x"5863c5fe7b9b9ee57588626dd85d0ca4dcc369f52b7f40706d7ecf939d39407f";
const PROOF_3: vector<vector<u8>> = vector[
    x"dae79ecf4522ff88e879cf21d69c0309cce9b3222d8396921c74038acd35acd2",
    x"aa005aa8afbf635bd73c27736301103cd3a550220c4deee4c8701bd7b72cba42",
    x"26259b5518b0b3fcbd2902b599ae55265186c947f1ce65cd5e4a734441bacc6e",
];
const LEAF_4: vector<u8> = x"26259b5518b0b3fcbd2902b599ae55265186c947f1ce65cd5e4a734441bacc6e";
const PROOF_4: vector<vector<u8>> = vector[
    x"ab89c983a3861a41c17f34ede76311d81611a179e8a04f85790e08a9b3939be2",
];

fun register(n: &mut Network, pages: u64, tokens: u32): u64 {
    let (cap, _, _, dr, _, _) = n.governed();
    datasets::register(cap, dr, pages, tokens, TOKENIZER, MERKLE)
}

fun register_for_job(n: &mut Network): u64 {
    let ctx = n.ts().ctx();
    let sender = ctx.sender();
    n.next(sender);
    let (dr, ctx) = n.data();
    datasets::register_for_job(dr, 333, 4, TOKENIZER, MERKLE, ctx)
}

// === Anchoring ===

#[test]
fun register_computes_the_root_of_the_vectors() {
    let mut n = scenario::begin();
    let id = register(&mut n, 333, 4);
    assert_eq!(id, 0);
    let dr = n.dr();
    assert_eq!(dr.root(id), ROOT);
    assert_eq!(dr.merkle_root(id), MERKLE);
    assert_eq!(dr.page_count(id), 333);
    assert_eq!(dr.page_tokens(id), 4);
    assert_eq!(dr.training_pages(id), 300);
    assert!(dr.owner(id).is_none() && !dr.is_retired(id));
    let mut expected = bcs::to_bytes(&id);
    expected.append(bcs::to_bytes(&option::none<address>()));
    expected.append(bcs::to_bytes(&333u64));
    expected.append(bcs::to_bytes(&ROOT));
    assert_eq!(bcs::to_bytes(&event::events_by_type<DatasetRegistered>()[0]), expected);
    assert_eq!(register(&mut n, 334, 4), 1);
    assert!(n.dr().root(1) != ROOT);
    n.end();
}

#[test]
fun training_pages_leave_out_the_last_tenth() {
    let counts = vector[10, 19, 20, 333, 1 << 40];
    let trained = counts.map!(|count| datasets::training_of(count));
    assert_eq!(trained, vector[9, 18, 18, 300, 989_560_464_999]);
}

#[test]
fun register_takes_10_pages_and_2_to_the_40() {
    let mut n = scenario::begin();
    register(&mut n, 10, 1);
    register(&mut n, 1 << 40, 1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadDataset)]
fun register_refuses_9_pages() {
    let mut n = scenario::begin();
    register(&mut n, 9, 1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadDataset)]
fun register_refuses_too_many_pages() {
    let mut n = scenario::begin();
    register(&mut n, (1 << 40) + 1, 1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadDataset)]
fun register_refuses_pages_without_tokens() {
    let mut n = scenario::begin();
    register(&mut n, 10, 0);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadLength)]
fun root_refuses_a_short_tokenizer_hash() { datasets::root_of(333, 4, x"00", MERKLE); }

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadLength)]
fun root_refuses_a_short_merkle_root() { datasets::root_of(333, 4, TOKENIZER, x"00"); }

#[test]
fun register_for_job_is_open_to_anybody_and_bounded() {
    let mut n = scenario::begin();
    n.next(@0xA);
    let mut id = 0;
    64u64.do!(|_| id = register_for_job(&mut n));
    assert_eq!(n.dr().owner(id), option::some(@0xA));
    let (dr, ctx) = n.data();
    dr.retire_own(id, ctx);
    assert_eq!(event::events_by_type<DatasetRetired>().length(), 1);
    register_for_job(&mut n);
    n.next(@0xB);
    register_for_job(&mut n);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::ETooMany)]
fun register_for_job_refuses_a_65th() {
    let mut n = scenario::begin();
    n.next(@0xA);
    65u64.do!(|_| { register_for_job(&mut n); });
    n.end();
}

#[test]
fun retire_keeps_the_root() {
    let mut n = scenario::begin();
    let id = register(&mut n, 333, 4);
    n.dr().assert_live(id);
    let (cap, _, _, dr, _, _) = n.governed();
    datasets::retire(cap, dr, id);
    assert!(dr.is_retired(id));
    assert_eq!(dr.root(id), ROOT);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::ERetired)]
fun retire_refuses_a_second_time() {
    let mut n = scenario::begin();
    let id = register(&mut n, 333, 4);
    let (cap, _, _, dr, _, _) = n.governed();
    datasets::retire(cap, dr, id);
    datasets::retire(cap, dr, id);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::ENotOwner)]
fun retire_own_refuses_anothers() {
    let mut n = scenario::begin();
    n.next(@0xA);
    let id = register_for_job(&mut n);
    n.next(@0xB);
    let (dr, ctx) = n.data();
    dr.retire_own(id, ctx);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EUnknownDataset)]
fun root_refuses_an_unknown_id() {
    let mut n = scenario::begin();
    n.dr().root(0);
    n.end();
}

// === Assignment (tests/vectors/assignment.json) ===

#[test]
fun assigned_pages_are_those_of_the_vectors() {
    assert_eq!(datasets::assigned_pages(ROOT, 333, 0, WINDOW, BEACON, 4), vector[177, 5, 225, 217]);
    assert_eq!(datasets::assigned_pages(ROOT, 333, 7, WINDOW, BEACON, 4), vector[62, 200, 52, 160]);
    assert_eq!(
        datasets::assigned_pages(ROOT, 333, 258, WINDOW, BEACON, 4),
        vector[156, 67, 297, 24],
    );
    assert_eq!(
        datasets::assigned_pages(ROOT, 333, 7, WINDOW + 1, BEACON, 4),
        vector[11, 195, 137, 269],
    );
    let seed = datasets::assignment_seed(ROOT, 258, WINDOW, BEACON);
    assert_eq!(seed, x"92185e66c8a4892dbfa1f90259e5db394f681c118559d8a7fa395d1214695cee");
}

#[test]
fun draw_rejects_what_would_be_likelier() {
    let (value, next) = datasets::draw_for_testing(x"c3050000", 0, 9_002_803_354_665_472);
    assert_eq!(value, 7_604_007_491_770_071);
    assert!(next > 1);
}

#[test]
fun assigned_pages_are_all_different() {
    let pages = datasets::assigned_pages(ROOT, 10, 1, WINDOW, BEACON, 9);
    9u64.do!(|page| assert!(pages.contains(&page)));
    assert_eq!(datasets::assigned_pages(ROOT, 333, 1, 0, BEACON, 64).length(), 64);
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadDraw)]
fun assigned_pages_refuse_more_than_there_are() {
    datasets::assigned_pages(ROOT, 10, 1, WINDOW, BEACON, 10);
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadDraw)]
fun assigned_pages_refuse_65() { datasets::assigned_pages(ROOT, 333, 1, WINDOW, BEACON, 65); }

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadDraw)]
fun assigned_pages_refuse_none() { datasets::assigned_pages(ROOT, 333, 1, WINDOW, BEACON, 0); }

#[test, expected_failure(abort_code = vramhub::dataset_registry::EBadLength)]
fun assigned_pages_refuse_a_short_beacon() {
    datasets::assigned_pages(ROOT, 333, 1, WINDOW, x"00", 1);
}

// === Merkle proofs (tests/vectors/merkle.json) ===

fun page(index: u32): vector<u8> {
    let number = bcs::to_bytes(&index);
    let mut page = number;
    3u64.do!(|_| page.append(number));
    page
}

#[test]
fun proofs_of_the_vectors_hold() {
    assert_eq!(datasets::leaf_hash(page(3)), LEAF_3);
    assert!(datasets::verify_merkle(FIVE, 5, 3, LEAF_3, PROOF_3));
    assert!(datasets::verify_merkle(FIVE, 5, 4, LEAF_4, PROOF_4));
    assert!(datasets::verify_merkle(LEAF_3, 1, 0, LEAF_3, vector[]));
}

#[test]
fun proofs_of_anything_else_fail() {
    let mut short = PROOF_3;
    short.pop_back();
    let mut long = PROOF_3;
    long.push_back(LEAF_4);
    let mut cut = PROOF_3;
    cut[0].pop_back();
    assert!(!datasets::verify_merkle(FIVE, 5, 3, LEAF_3, short));
    assert!(!datasets::verify_merkle(FIVE, 5, 3, LEAF_3, long));
    assert!(!datasets::verify_merkle(FIVE, 5, 3, LEAF_3, cut));
    assert!(!datasets::verify_merkle(FIVE, 5, 2, LEAF_3, PROOF_3));
    assert!(!datasets::verify_merkle(FIVE, 5, 3, LEAF_4, PROOF_3));
    assert!(!datasets::verify_merkle(FIVE, 3, 3, LEAF_3, PROOF_3));
    assert!(!datasets::verify_merkle(LEAF_3, 5, 3, LEAF_3, PROOF_3));
    assert!(!datasets::verify_merkle(FIVE, 0, 0, LEAF_3, vector[]));
}

#[test]
fun verify_page_binds_the_pages_length() {
    let mut n = scenario::begin();
    // ten pages that are all page 7: each level has one hash, and the last but one node is promoted
    let leaf = datasets::leaf_hash(page(7));
    let two = node(leaf, leaf);
    let four = node(two, two);
    let eight = node(four, four);
    let (cap, _, _, dr, _, _) = n.governed();
    let id = datasets::register(cap, dr, 10, 4, TOKENIZER, node(eight, two));
    assert!(dr.verify_page(id, 9, page(7), vector[leaf, eight]));
    assert!(dr.verify_page(id, 0, page(7), vector[leaf, two, four, two]));
    assert!(!dr.verify_page(id, 9, page(8), vector[leaf, eight]));
    let mut longer = page(7);
    longer.push_back(0);
    assert!(!dr.verify_page(id, 9, longer, vector[leaf, eight]));
    n.end();
}

fun node(left: vector<u8>, right: vector<u8>): vector<u8> {
    let mut bytes = vector[1];
    bytes.append(left);
    bytes.append(right);
    std::hash::sha2_256(bytes)
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EWrongVersion)]
fun state_of_another_version_is_refused() {
    let mut n = scenario::begin();
    n.dr().set_version_for_testing(0);
    n.dr().root(0);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::EWrongVersion)]
fun migrate_finds_nothing_older() {
    let mut n = scenario::begin();
    let (cap, _, _, dr, _, _) = n.governed();
    datasets::migrate(cap, dr);
    n.end();
}
