/// Approved builds of the judge, and the keys of attested judges. Registration is permissionless: the
/// attestation document itself says for whom it is, and Sui has verified its signature and certificates.
/// What Sui does not check is checked here: the document's age, its measurements, whom it is for, its key.
module vramhub::enclave_registry;

use std::bcs;
use sui::clock::Clock;
use sui::dynamic_field as df;
use sui::event;
use sui::nitro_attestation::NitroAttestationDocument;
use sui::table::{Self, Table};
use vramhub::hparams::{Self, AdminCap, Hparams};
use vramhub::round_state::{Self, RoundState};
use vramhub::validator_registry::{Self, ValidatorRegistry};

/// The document is from the future, or names a register twice.
#[error(code = 2)]
const EBadDocument: vector<u8> = b"Document of the future, or a register twice";
/// No approved, active build has the document's PCR0, 1 and 2.
#[error(code = 3)]
const EMeasurementNotApproved: vector<u8> = b"Not an approved build";
/// `user_data` is not BCS(tag, chain, ledger, uid, owner) of this validator.
#[error(code = 4)]
const EWrongUserData: vector<u8> = b"Document for another validator";
/// The key is missing, not 32 bytes, of small order, or not canonical.
#[error(code = 5)]
const EBadKey: vector<u8> = b"Not a sound Ed25519 key";
/// A key belongs to its first validator and owner for ever.
#[error(code = 6)]
const EKeyTaken: vector<u8> = b"Another validator's key";
/// Older than the hparam `document_age_ms`.
#[error(code = 7)]
const EDocumentTooOld: vector<u8> = b"The document is too old";
/// The document is not newer than the newest that this validator has registered.
#[error(code = 8)]
const EDocumentNotNewer: vector<u8> = b"A newer document is registered";
/// Nobody has that slot, now or from the next window on.
#[error(code = 9)]
const ENotOwner: vector<u8> = b"No such validator";
/// A name or a value that no build has, a name's second use, or no room.
#[error(code = 10)]
const EBadMeasurement: vector<u8> = b"Build's name or registers unusable";
/// Only before the network is founded.
#[error(code = 11)]
const EAlreadyFounded: vector<u8> = b"Founded: a build has to wait";
/// The shared object is of another version of this package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

/// Version of the state that this package reads.
const VERSION: u64 = 1;
/// Builds approved at one time at most.
const MAX_MEASUREMENTS: u64 = 32;
/// Characters of a build's name at most.
const MAX_NAME: u64 = 64;
/// A register of SHA-384.
const PCR_BYTES: u64 = 48;
/// That of an enclave in debug mode.
const DEBUG_PCR: vector<u8> =
    x"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
/// A document may be ahead of the ledger's clock by this much.
const LEEWAY_MS: u64 = 30_000;
/// Version of a judge's messages.
const MESSAGE_VERSION: u8 = 1;
/// What all messages begin with.
const HEAD_BYTES: u64 = 84;
/// 2^53 − 1: what every reader of these numbers can hold.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// The registry: one shared object, made when the package is published.
public struct EnclaveRegistry has key { id: UID, version: u64 }

public struct EnclaveRegistryInner has store {
    measurements: vector<Measurement>,
    /// Names that were removed, and when: keys remember their build by name.
    removed: Table<vector<u8>, u64>,
    keys: Table<vector<u8>, Enclave>,
    holders: Table<Holder, Attested>,
    offences: Table<Offence, u64>,
}

/// An approved build: it counts from `active_from` (milliseconds) until it is removed.
public struct Measurement has copy, drop, store {
    name: vector<u8>,
    pcr0: vector<u8>,
    pcr1: vector<u8>,
    pcr2: vector<u8>,
    active_from: u64,
}

/// How a key was registered the last time. Times in milliseconds.
public struct Enclave has copy, drop, store {
    uid: u16,
    owner: address,
    document_ms: u64,
    registered_ms: u64,
    expires_ms: u64,
    measurement: vector<u8>,
}

/// Whose a key is.
public struct Holder has copy, drop, store { uid: u16, owner: address }

/// A holder's newest document, and its key that counts.
public struct Attested has copy, drop, store { newest_ms: u64, active: Option<vector<u8>> }

/// What a key was slashed for: `subject` is a window, or a job where the intent is 3.
public struct Offence has copy, drop, store { key: vector<u8>, intent: u8, subject: u64 }

/// A build was approved; it counts from `active_from`.
public struct MeasurementApproved has copy, drop {
    name: vector<u8>,
    pcr0: vector<u8>,
    pcr1: vector<u8>,
    pcr2: vector<u8>,
    active_from: u64,
}
/// A build was removed: keys that it attested sign nothing any more.
public struct MeasurementRemoved has copy, drop { name: vector<u8> }
/// A judge's key was registered, or renewed.
public struct EnclaveRegistered has copy, drop {
    validator: u16,
    owner: address,
    key: vector<u8>,
    measurement: vector<u8>,
    document_ms: u64,
    registered_ms: u64,
    expires_ms: u64,
}
/// A slashed validator's key counts no more.
public struct EnclaveRevoked has copy, drop { validator: u16, owner: address }

fun init(ctx: &mut TxContext) {
    let mut id = object::new(ctx);
    let inner = EnclaveRegistryInner {
        measurements: vector[],
        removed: table::new(ctx),
        keys: table::new(ctx),
        holders: table::new(ctx),
        offences: table::new(ctx),
    };
    df::add(&mut id, VERSION, inner);
    transfer::share_object(EnclaveRegistry { id, version: VERSION });
}

fun inner(er: &EnclaveRegistry): &EnclaveRegistryInner {
    assert!(er.version == VERSION, EWrongVersion);
    df::borrow(&er.id, VERSION)
}

fun inner_mut(er: &mut EnclaveRegistry): &mut EnclaveRegistryInner {
    assert!(er.version == VERSION, EWrongVersion);
    df::borrow_mut(&mut er.id, VERSION)
}

/// The door of an upgrade. Version 1 has nothing older to come from.
public fun migrate(_: &AdminCap, _: &mut EnclaveRegistry) {
    abort EWrongVersion
}

/// Approve a build: the admin. It counts after the unbonding period, so that whoever disagrees can leave before.
public fun approve(
    _: &AdminCap,
    er: &mut EnclaveRegistry,
    hp: &Hparams,
    name: vector<u8>,
    pcr0: vector<u8>,
    pcr1: vector<u8>,
    pcr2: vector<u8>,
    clock: &Clock,
) {
    let active_from = hparams::approval_time(hp, clock.timestamp_ms());
    insert(er, name, pcr0, pcr1, pcr2, active_from);
}

/// Approve a build at once: the admin, before the network is founded, when nobody has anything at stake.
public fun approve_at_genesis(
    _: &AdminCap,
    er: &mut EnclaveRegistry,
    hp: &Hparams,
    name: vector<u8>,
    pcr0: vector<u8>,
    pcr1: vector<u8>,
    pcr2: vector<u8>,
) {
    assert!(!hparams::is_founded(hp), EAlreadyFounded);
    insert(er, name, pcr0, pcr1, pcr2, 0);
}

fun insert(
    er: &mut EnclaveRegistry,
    name: vector<u8>,
    pcr0: vector<u8>,
    pcr1: vector<u8>,
    pcr2: vector<u8>,
    active_from: u64,
) {
    assert!(is_name(&name), EBadMeasurement);
    assert!(is_pcr(&pcr0) && is_pcr(&pcr1) && is_pcr(&pcr2), EBadMeasurement);
    let state = inner_mut(er);
    assert!(state.measurements.length() < MAX_MEASUREMENTS, EBadMeasurement);
    // Never twice: a key must not come back to life with another build of its build's name.
    assert!(!state.removed.contains(name), EBadMeasurement);
    assert!(position(state, &name).is_none(), EBadMeasurement);
    event::emit(MeasurementApproved { name, pcr0, pcr1, pcr2, active_from });
    state.measurements.push_back(Measurement { name, pcr0, pcr1, pcr2, active_from });
}

/// Remove a build at once: the admin. Keys that it attested sign nothing any more, and its name is used up.
public fun remove(_: &AdminCap, er: &mut EnclaveRegistry, name: vector<u8>, clock: &Clock) {
    let state = inner_mut(er);
    let found = position(state, &name);
    assert!(found.is_some(), EBadMeasurement);
    state.measurements.remove(found.destroy_some());
    state.removed.add(name, clock.timestamp_ms());
    event::emit(MeasurementRemoved { name });
}

fun position(state: &EnclaveRegistryInner, name: &vector<u8>): Option<u64> {
    state.measurements.find_index!(|m| m.name == *name)
}

/// 1..64 of a-z 0-9 . _ -, the first a letter or digit.
fun is_name(name: &vector<u8>): bool {
    let length = name.length();
    if (length == 0 || length > MAX_NAME || !is_alphanumeric(name[0])) return false;
    let others = b"._-";
    name.all!(|c| is_alphanumeric(*c) || others.contains(c))
}

fun is_alphanumeric(c: u8): bool { (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) }

/// A register is 48 bytes, and not all zero: those of a debug enclave are.
fun is_pcr(pcr: &vector<u8>): bool { pcr.length() == PCR_BYTES && *pcr != DEBUG_PCR }

/// Register validator `uid`'s key by its document, which a call to `load_nitro_attestation` in the same
/// transaction has verified. Anyone may bring it.
public fun register(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    er: &mut EnclaveRegistry,
    document: &NitroAttestationDocument,
    uid: u16,
    clock: &Clock,
) {
    validator_registry::roll(rs, hp, vr, clock);
    let mut indexes = vector[];
    let mut values = vector[];
    document.pcrs().do_ref!(|pcr| {
        indexes.push_back(pcr.index());
        values.push_back(*pcr.value());
    });
    register_parts(
        rs,
        hp,
        vr,
        er,
        indexes,
        values,
        *document.public_key(),
        *document.user_data(),
        *document.timestamp(),
        uid,
        clock,
    );
}

/// `register` of a verified document's parts: register `indexes[i]` holds `values[i]`.
public(package) fun register_parts(
    rs: &RoundState,
    hp: &Hparams,
    vr: &ValidatorRegistry,
    er: &mut EnclaveRegistry,
    indexes: vector<u8>,
    values: vector<vector<u8>>,
    public_key: Option<vector<u8>>,
    user_data: Option<vector<u8>>,
    document_ms: u64,
    uid: u16,
    clock: &Clock,
) {
    let now = clock.timestamp_ms();
    let params = hparams::current(hp);
    let owner = validator_registry::seat_owner(vr, uid);
    assert!(owner.is_some(), ENotOwner);
    let owner = owner.destroy_some();
    let state = inner_mut(er);
    assert!(document_ms <= now + LEEWAY_MS, EBadDocument);
    assert!(now <= document_ms + hparams::document_age_ms(params), EDocumentTooOld);
    let measurement = match_measurement(state, &indexes, &values, now);
    assert!(user_data == option::some(expected_user_data(rs, uid, owner)), EWrongUserData);
    assert!(public_key.is_some_and!(|key| is_sound_key(key)), EBadKey);
    let key = public_key.destroy_some();
    let known = state.keys.contains(key);
    if (known) {
        let enclave = &state.keys[key];
        assert!(enclave.uid == uid && enclave.owner == owner, EKeyTaken);
    };
    let holder = Holder { uid, owner };
    let mut registered_ms = now;
    if (state.holders.contains(holder)) {
        let attested = &mut state.holders[holder];
        // Of all documents, also those whose keys count no more: nobody can put an older key back.
        assert!(attested.newest_ms < document_ms, EDocumentNotNewer);
        // A key that is merely renewed keeps its age: a renewal must not bar it from the running report.
        if (attested.active == option::some(key)) registered_ms = state.keys[key].registered_ms;
        *attested = Attested { newest_ms: document_ms, active: option::some(key) };
    } else {
        // A slot's former owner keeps its own row: it still reports the window in which it was seated.
        let active = option::some(key);
        state.holders.add(holder, Attested { newest_ms: document_ms, active });
    };
    if (known) { state.keys.remove(key); };
    let expires_ms = now + hparams::key_ttl_ms(params);
    state
        .keys
        .add(key, Enclave { uid, owner, document_ms, registered_ms, expires_ms, measurement });
    event::emit(EnclaveRegistered {
        validator: uid,
        owner,
        key,
        measurement,
        document_ms,
        registered_ms,
        expires_ms,
    });
}

/// The name of the active build that these registers are, looked up by index and never by position.
fun match_measurement(
    state: &EnclaveRegistryInner,
    indexes: &vector<u8>,
    values: &vector<vector<u8>>,
    now: u64,
): vector<u8> {
    let pcr0 = register_value(indexes, values, 0);
    let pcr1 = register_value(indexes, values, 1);
    let pcr2 = register_value(indexes, values, 2);
    let found = state
        .measurements
        .find_index!(
            |m| m.active_from <= now && m.pcr0 == pcr0 && m.pcr1 == pcr1 && m.pcr2 == pcr2,
        );
    assert!(found.is_some(), EMeasurementNotApproved);
    state.measurements[found.destroy_some()].name
}

fun register_value(indexes: &vector<u8>, values: &vector<vector<u8>>, index: u8): vector<u8> {
    let at = indexes.find_indices!(|i| *i == index);
    assert!(at.length() <= 1, EBadDocument);
    // an absent register must not pass for a matching one
    assert!(at.length() == 1, EMeasurementNotApproved);
    values[at[0]]
}

/// What a document of validator `uid` must say in its user data: 116 bytes, compared whole.
public fun expected_user_data(rs: &RoundState, uid: u16, owner: address): vector<u8> {
    let mut expected = b"vramhub/enclave/v1";
    expected.append(round_state::chain_id(rs));
    expected.append(round_state::ledger_id(rs));
    expected.append(bcs::to_bytes(&uid));
    expected.append(bcs::to_bytes(&owner));
    expected
}

/// Whether `key` is 32 bytes, a canonical encoding, and none of the eight points of small order, under which
/// one signature holds for many messages. The sign bit is left out, so that both encodings of each are met.
public fun is_sound_key(key: &vector<u8>): bool {
    if (key.length() != 32) return false;
    let mut y = *key;
    let top = &mut y[31];
    *top = *top & 0x7f;
    let mut middle = 1;
    while (middle < 31 && y[middle] == 0xff) middle = middle + 1;
    // y ≥ p = 2^255 − 19 encodes a number that has a shorter form, 0 and 1 among them.
    if (middle == 31 && y[31] == 0x7f && y[0] >= 0xed) return false;
    let small = vector[
        x"0000000000000000000000000000000000000000000000000000000000000000", // order 4
        x"0100000000000000000000000000000000000000000000000000000000000000", // order 1
        x"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
        x"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
        x"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
    ];
    !small.contains(&y)
}

/// The key of validator `uid` under `owner` that counts.
public fun active_key(er: &EnclaveRegistry, uid: u16, owner: address): Option<vector<u8>> {
    let holder = Holder { uid, owner };
    let state = inner(er);
    if (state.holders.contains(holder)) state.holders[holder].active else option::none()
}

/// How `key` was registered the last time, whether or not it still counts.
public fun enclave(er: &EnclaveRegistry, key: vector<u8>): Option<Enclave> {
    let state = inner(er);
    if (state.keys.contains(key)) option::some(state.keys[key]) else option::none()
}

/// The key that may sign for validator `uid` of `owner` now: active, of an approved build, unexpired.
public fun verdict_key(
    er: &EnclaveRegistry,
    uid: u16,
    owner: address,
    now_ms: u64,
): Option<vector<u8>> {
    let key = active_key(er, uid, owner);
    if (key.is_none()) return key;
    let enclave = enclave(er, *key.borrow()).destroy_some();
    let counts = now_ms < enclave.expires_ms && is_approved(er, enclave.measurement, now_ms);
    if (counts) key else option::none()
}

/// Whether the build of this name counts now.
public fun is_approved(er: &EnclaveRegistry, name: vector<u8>, now_ms: u64): bool {
    let state = inner(er);
    position(state, &name).is_some_and!(|i| state.measurements[*i].active_from <= now_ms)
}

/// Abort with EMeasurementNotApproved unless the build of this name counts now.
public(package) fun assert_approved(er: &EnclaveRegistry, name: vector<u8>, now_ms: u64) {
    assert!(is_approved(er, name, now_ms), EMeasurementNotApproved);
}

/// All approved builds, those that do not count yet among them.
public fun measurements(er: &EnclaveRegistry): vector<Measurement> { inner(er).measurements }

/// Whether `key` was slashed for two messages of `intent` on `subject`, a window or a job.
public fun was_slashed(er: &EnclaveRegistry, key: vector<u8>, intent: u8, subject: u64): bool {
    inner(er).offences.contains(Offence { key, intent, subject })
}

/// Note an offence, and let no key of `uid` under `owner` count any more.
public(package) fun revoke(
    er: &mut EnclaveRegistry,
    key: vector<u8>,
    intent: u8,
    subject: u64,
    now_ms: u64,
) {
    let state = inner_mut(er);
    state.offences.add(Offence { key, intent, subject }, now_ms);
    let Enclave { uid, owner, .. } = state.keys[key];
    state.holders[Holder { uid, owner }].active = option::none();
    event::emit(EnclaveRevoked { validator: uid, owner });
}

/// The validator's slot.
public fun uid(enclave: &Enclave): u16 { enclave.uid }

/// Whose judge it is.
public fun owner(enclave: &Enclave): address { enclave.owner }

/// The document's own time.
public fun document_ms(enclave: &Enclave): u64 { enclave.document_ms }

/// Since when the key counts.
public fun registered_ms(enclave: &Enclave): u64 { enclave.registered_ms }

/// From when on the key signs nothing.
public fun expires_ms(enclave: &Enclave): u64 { enclave.expires_ms }

/// Name of the build that the document was of.
public fun measurement(enclave: &Enclave): vector<u8> { enclave.measurement }

// === What a judge's key signs ===

/// Where messages are equal: intent u8, version u8, chain 32, ledger 32, validator u16, subject u64 (a window, or
/// the job of intent 3), timestamp u64: 84 bytes.
public struct Head has copy, drop {
    chain_id: vector<u8>,
    ledger_id: vector<u8>,
    validator: u16,
    subject: u64,
}

/// The head of a message of `intent`; none where there is none, or of another intent or version.
public(package) fun read_head(message: &vector<u8>, intent: u8): Option<Head> {
    if (message.length() < HEAD_BYTES) return option::none();
    if (message[0] != intent || message[1] != MESSAGE_VERSION) return option::none();
    let subject = u64_at(message, 68);
    if (subject > MAX_SAFE || u64_at(message, 76) > MAX_SAFE) return option::none();
    option::some(Head {
        chain_id: slice(message, 2, 32),
        ledger_id: slice(message, 34, 32),
        validator: u16_at(message, 66),
        subject,
    })
}

/// Two bytes at `at`, little endian.
public(package) fun u16_at(bytes: &vector<u8>, at: u64): u16 {
    (bytes[at] as u16) | ((bytes[at + 1] as u16) << 8)
}

/// Eight bytes at `at`, little endian.
public(package) fun u64_at(bytes: &vector<u8>, at: u64): u64 {
    let mut value = 0;
    let mut i = at + 8;
    while (i > at) {
        i = i - 1;
        value = (value << 8) | (bytes[i] as u64);
    };
    value
}

/// `length` bytes from `at` on.
public(package) fun slice(bytes: &vector<u8>, at: u64, length: u64): vector<u8> {
    vector::tabulate!(length, |i| bytes[at + i])
}

/// Whether the message is for this very ledger, on this chain.
public(package) fun is_for(head: &Head, rs: &RoundState): bool {
    head.chain_id == rs.chain_id() && head.ledger_id == rs.ledger_id()
}

/// The slot.
public(package) fun head_validator(head: &Head): u16 { head.validator }

/// The window, or the job of intent 3.
public(package) fun head_subject(head: &Head): u64 { head.subject }

#[test_only]
public fun head_chain_id(head: &Head): &vector<u8> { &head.chain_id }

#[test_only]
public fun head_ledger_id(head: &Head): &vector<u8> { &head.ledger_id }

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx) }

#[test_only]
public fun set_version_for_testing(er: &mut EnclaveRegistry, version: u64) { er.version = version }

#[test_only]
public fun approve_for_testing(
    er: &mut EnclaveRegistry,
    name: vector<u8>,
    pcr0: vector<u8>,
    pcr1: vector<u8>,
    pcr2: vector<u8>,
) { insert(er, name, pcr0, pcr1, pcr2, 0) }

#[test_only]
public fun expire_for_testing(er: &mut EnclaveRegistry, key: vector<u8>, at_ms: u64) {
    inner_mut(er).keys[key].expires_ms = at_ms
}
