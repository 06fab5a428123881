/// Constructors for tests: the VM of the unit tests cannot verify an attestation document, and no other code may make
/// one. `contracts/tool` puts them into its copy of the framework's module; bytecode is built without them.
#[test_only]
extend module sui::nitro_attestation;

/// A register of `value` at `index`.
public fun pcr_for_testing(index: u8, value: vector<u8>): PCREntry {
    PCREntry { index, value }
}

/// A document made at `timestamp` (ms) with these registers and fields.
public fun document_for_testing(
    timestamp: u64,
    pcrs: vector<PCREntry>,
    public_key: Option<vector<u8>>,
    user_data: Option<vector<u8>>,
): NitroAttestationDocument {
    NitroAttestationDocument {
        module_id: b"i-0123456789abcdef0-enc0123456789abcdef",
        timestamp,
        digest: b"SHA384",
        pcrs,
        public_key,
        user_data,
        nonce: option::none(),
    }
}
