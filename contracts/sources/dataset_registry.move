/// Data sets, anchored by a root that binds their size, tokenizer and every page, and the rule that tells which
/// pages are whose: nobody can train on other data, or on less.
module vramhub::dataset_registry;

use std::hash::sha2_256;
use sui::bcs;
use sui::dynamic_field;
use sui::event;
use sui::table::{Self, Table};
use vramhub::hparams::AdminCap;

/// A data set has 10 to 2^40 pages of at least one token.
#[error(code = 1)]
const EBadDataset: vector<u8> = b"Not 10 to 2^40 pages of tokens";
/// Hashes are 32 bytes.
#[error(code = 2)]
const EBadLength: vector<u8> = b"A hash is 32 bytes";
/// Nobody registered it.
#[error(code = 3)]
const EUnknownDataset: vector<u8> = b"No such data set";
/// It takes no new use.
#[error(code = 4)]
const ERetired: vector<u8> = b"The data set is retired";
/// Records for jobs are bounded for each owner.
#[error(code = 5)]
const ETooMany: vector<u8> = b"Too many data sets: retire one";
/// Only who registered it may retire it.
#[error(code = 6)]
const ENotOwner: vector<u8> = b"Not the sender's data set";
/// More pages than there are, or than a draw gives.
#[error(code = 7)]
const EBadDraw: vector<u8> = b"A draw gives 1 to 64 of the pages";
/// The object is of another version of the package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

const VERSION: u64 = 1;
const MIN_PAGES: u64 = 10;
const MAX_PAGES: u64 = 1 << 40;
const MAX_DRAWN: u64 = 64;
/// Live data sets of one owner.
const MAX_OWNED: u64 = 64;

/// The one shared object.
public struct DatasetRegistry has key { id: UID, version: u64 }

public struct DatasetRegistryInner has store {
    datasets: Table<u64, Dataset>,
    next_id: u64,
    /// Live data sets by owner.
    owned: Table<address, u64>,
}

public struct Dataset has copy, drop, store {
    page_count: u64,
    page_tokens: u32,
    tokenizer_hash: vector<u8>,
    merkle_root: vector<u8>,
    root: vector<u8>,
    /// None: the network's own.
    owner: Option<address>,
    retired: bool,
}

/// A data set is anchored; without an owner it is the network's.
public struct DatasetRegistered has copy, drop {
    id: u64,
    owner: Option<address>,
    page_count: u64,
    root: vector<u8>,
}
/// A data set takes no new use.
public struct DatasetRetired has copy, drop { id: u64 }

fun init(ctx: &mut TxContext) {
    let mut dr = DatasetRegistry { id: object::new(ctx), version: VERSION };
    let inner = DatasetRegistryInner {
        datasets: table::new(ctx),
        next_id: 0,
        owned: table::new(ctx),
    };
    dynamic_field::add(&mut dr.id, VERSION, inner);
    transfer::share_object(dr);
}

fun inner(dr: &DatasetRegistry): &DatasetRegistryInner {
    assert!(dr.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&dr.id, VERSION)
}

fun inner_mut(dr: &mut DatasetRegistry): &mut DatasetRegistryInner {
    assert!(dr.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut dr.id, VERSION)
}

/// The upgrade's door: moves the state to this version. Nothing is older than version 1.
public fun migrate(_: &AdminCap, _: &mut DatasetRegistry) {
    abort EWrongVersion
}

// === Anchoring ===

/// Anchor a data set of the network. The root is computed here, never believed.
public fun register(
    _: &AdminCap,
    dr: &mut DatasetRegistry,
    page_count: u64,
    page_tokens: u32,
    tokenizer_hash: vector<u8>,
    merkle_root: vector<u8>,
): u64 {
    add(dr, page_count, page_tokens, tokenizer_hash, merkle_root, option::none())
}

/// Anchor a data set for jobs. Anyone may, for nothing; one owner has at most 64 live ones.
public fun register_for_job(
    dr: &mut DatasetRegistry,
    page_count: u64,
    page_tokens: u32,
    tokenizer_hash: vector<u8>,
    merkle_root: vector<u8>,
    ctx: &TxContext,
): u64 {
    let owner = ctx.sender();
    let owned = &mut inner_mut(dr).owned;
    if (!owned.contains(owner)) owned.add(owner, 0);
    let count = &mut owned[owner];
    assert!(*count < MAX_OWNED, ETooMany);
    *count = *count + 1;
    add(dr, page_count, page_tokens, tokenizer_hash, merkle_root, option::some(owner))
}

fun add(
    dr: &mut DatasetRegistry,
    page_count: u64,
    page_tokens: u32,
    tokenizer_hash: vector<u8>,
    merkle_root: vector<u8>,
    owner: Option<address>,
): u64 {
    assert!(MIN_PAGES <= page_count && page_count <= MAX_PAGES && page_tokens > 0, EBadDataset);
    let root = root_of(page_count, page_tokens, tokenizer_hash, merkle_root);
    let at = inner_mut(dr);
    let id = at.next_id;
    at.next_id = id + 1;
    let dataset = Dataset {
        page_count,
        page_tokens,
        tokenizer_hash,
        merkle_root,
        root,
        owner,
        retired: false,
    };
    at.datasets.add(id, dataset);
    event::emit(DatasetRegistered { id, owner, page_count, root });
    id
}

/// Retire a data set: what uses it goes on, nothing new may. The admin may retire any.
public fun retire(_: &AdminCap, dr: &mut DatasetRegistry, id: u64) { end(dr, id); }

/// Retire the sender's own data set.
public fun retire_own(dr: &mut DatasetRegistry, id: u64, ctx: &TxContext) {
    assert!(dataset(dr, id).owner == option::some(ctx.sender()), ENotOwner);
    end(dr, id);
}

fun end(dr: &mut DatasetRegistry, id: u64) {
    assert_live(dr, id);
    let at = inner_mut(dr);
    let dataset = &mut at.datasets[id];
    dataset.retired = true;
    dataset.owner.do!(|owner| {
        let count = at.owned.remove(owner);
        if (count > 1) at.owned.add(owner, count - 1);
    });
    event::emit(DatasetRetired { id });
}

// === Views ===

fun dataset(dr: &DatasetRegistry, id: u64): &Dataset {
    let datasets = &inner(dr).datasets;
    assert!(datasets.contains(id), EUnknownDataset);
    &datasets[id]
}

/// Abort `EUnknownDataset` or `ERetired` unless the data set may be put to a new use.
public fun assert_live(dr: &DatasetRegistry, id: u64) {
    assert!(!dataset(dr, id).retired, ERetired);
}

/// `SHA-256("vramhub/dataset/v1" ‖ page_count ‖ page_tokens ‖ tokenizer_hash ‖ merkle_root)`, retired or not.
public fun root(dr: &DatasetRegistry, id: u64): vector<u8> { dataset(dr, id).root }

/// Root of the pages' Merkle tree.
public fun merkle_root(dr: &DatasetRegistry, id: u64): vector<u8> { dataset(dr, id).merkle_root }

/// Pages, held-out ones included.
public fun page_count(dr: &DatasetRegistry, id: u64): u64 { dataset(dr, id).page_count }

/// Tokens of a page.
public fun page_tokens(dr: &DatasetRegistry, id: u64): u32 { dataset(dr, id).page_tokens }

/// Who registered it; none: the network.
public fun owner(dr: &DatasetRegistry, id: u64): Option<address> { dataset(dr, id).owner }

/// Whether it takes no new use.
public fun is_retired(dr: &DatasetRegistry, id: u64): bool { dataset(dr, id).retired }

/// Pages that may be trained on.
public fun training_pages(dr: &DatasetRegistry, id: u64): u64 { training_of(page_count(dr, id)) }

// === Rules ===

/// All pages but the last tenth, which measures bases.
public fun training_of(page_count: u64): u64 { page_count - page_count / 10 }

/// The root of a data set's parts; hashes of 32 bytes.
public fun root_of(
    page_count: u64,
    page_tokens: u32,
    tokenizer_hash: vector<u8>,
    merkle_root: vector<u8>,
): vector<u8> {
    assert!(tokenizer_hash.length() == 32 && merkle_root.length() == 32, EBadLength);
    let mut bytes = b"vramhub/dataset/v1";
    bytes.append(bcs::to_bytes(&page_count));
    bytes.append(bcs::to_bytes(&page_tokens));
    bytes.append(tokenizer_hash);
    bytes.append(merkle_root);
    sha2_256(bytes)
}

/// `SHA-256("vramhub/data/v1" ‖ dataset_root ‖ uid u64le ‖ N u64le ‖ beacon)`.
public fun assignment_seed(
    dataset_root: vector<u8>,
    uid: u16,
    window: u64,
    beacon: vector<u8>,
): vector<u8> {
    assert!(dataset_root.length() == 32 && beacon.length() == 32, EBadLength);
    let mut bytes = b"vramhub/data/v1";
    bytes.append(dataset_root);
    bytes.append(bcs::to_bytes(&(uid as u64)));
    bytes.append(bcs::to_bytes(&window));
    bytes.append(beacon);
    sha2_256(bytes)
}

/// The `count` (1 to 64) pages of miner `uid` in `window`, in the order in which they are drawn from the training
/// pages; `beacon` is the randomness of the window's first round.
public fun assigned_pages(
    dataset_root: vector<u8>,
    page_count: u64,
    uid: u16,
    window: u64,
    beacon: vector<u8>,
    count: u64,
): vector<u64> {
    let bound = training_of(page_count);
    assert!(0 < count && count <= MAX_DRAWN && count <= bound, EBadDraw);
    let seed = assignment_seed(dataset_root, uid, window, beacon);
    let mut pages = vector[];
    let mut counter = 0u32;
    while (pages.length() < count) {
        let (page, next) = draw(seed, counter, bound);
        counter = next;
        if (!pages.contains(&page)) pages.push_back(page);
    };
    pages
}

/// The next value below `bound` of the stream of `seed`, and the counter after it. A value at or above the
/// largest multiple of the bound is drawn again, so that none is likelier than another.
fun draw(seed: vector<u8>, mut counter: u32, bound: u64): (u64, u32) {
    let wide = bound as u128;
    let limit = (1u128 << 64) / wide * wide;
    loop {
        let mut bytes = seed;
        bytes.append(bcs::to_bytes(&counter));
        counter = counter + 1;
        let value = bcs::new(sha2_256(bytes)).peel_u64();
        if ((value as u128) < limit) return (value % bound, counter)
    }
}

/// A page's leaf: `SHA-256(0x00 ‖ page)`.
public fun leaf_hash(page: vector<u8>): vector<u8> {
    let mut bytes = vector[0];
    bytes.append(page);
    sha2_256(bytes)
}

/// Whether `page` (tokens, u32le) is number `index` of data set `id`.
public fun verify_page(
    dr: &DatasetRegistry,
    id: u64,
    index: u64,
    page: vector<u8>,
    proof: vector<vector<u8>>,
): bool {
    let dataset = dataset(dr, id);
    page.length() == (dataset.page_tokens as u64) * 4 &&
        verify_merkle(dataset.merkle_root, dataset.page_count, index, leaf_hash(page), proof)
}

/// Whether `leaf` is number `index` of the `count` leaves under `root`: nodes are `SHA-256(0x01 ‖ left ‖ right)`,
/// an odd node is promoted and gives no hash to the proof. Index and count are part of what is proven.
public fun verify_merkle(
    root: vector<u8>,
    count: u64,
    mut index: u64,
    leaf: vector<u8>,
    proof: vector<vector<u8>>,
): bool {
    if (index >= count) return false;
    let mut node = leaf;
    let mut used = 0;
    let mut width = count;
    while (width > 1) {
        let promoted = index == width - 1 && width % 2 == 1;
        if (!promoted) {
            if (used == proof.length() || proof[used].length() != 32) return false;
            let sibling = proof[used];
            used = used + 1;
            node = if (index % 2 == 0) node_hash(node, sibling) else node_hash(sibling, node);
        };
        width = width / 2 + width % 2;
        index = index / 2;
    };
    used == proof.length() && node == root
}

fun node_hash(left: vector<u8>, right: vector<u8>): vector<u8> {
    let mut bytes = vector[1];
    bytes.append(left);
    bytes.append(right);
    sha2_256(bytes)
}

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx); }

#[test_only]
public fun set_version_for_testing(dr: &mut DatasetRegistry, version: u64) { dr.version = version; }

#[test_only]
public fun draw_for_testing(seed: vector<u8>, counter: u32, bound: u64): (u64, u32) {
    draw(seed, counter, bound)
}
