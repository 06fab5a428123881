/// Judges that sign inside a test: Ed25519 with the secret scalars 1, 2, … and the nonce 1 always. That hides nothing,
/// and verifies like any other signature. SHA-512, which Move does not have, is here for it.
#[test_only]
module vramhub::simulation_judge;

use sui::bcs;
use sui::ed25519;
use vramhub::scenario;
use vramhub::score_fixture;

/// Order of the curve's base point.
const ORDER: u256 = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed;
const LOW: u128 = 0xffffffffffffffff;
const BIAS: u64 = 1 << 63;

/// The base point times 1, 2, ….
const KEYS: vector<vector<u8>> = vector[
    x"5866666666666666666666666666666666666666666666666666666666666666",
    x"c9a3f86aae465f0e56513864510f3997561fa2c9e85ea21dc2292309f3cd6022",
    x"d4b4f5784868c3020403246717ec169ff79e26608ea126a1ab69ee77d1b16712",
    x"2f1132ca61ab38dff00f2fea3228f24c6c71d58085b80e47e19515cb27e8d047",
    x"edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df",
    x"f47e49f9d07ad2c1606b4d94067c41f9777d4ffda709b71da1d88628fce34d85",
    x"b862409fb5c4c4123df2abf7462b88f041ad36dd6864ce872fd5472be363c5b1",
    x"b4b937fca95b2f1e93e41e62fc3c78818ff38a66096fad6e7973e5c90006d321",
    x"c0f1225584444ec730446e231390781ffdd2f256e9fcbeb2f40dddc2c2233d7f",
    x"2c7be86ab07488ba43e8e03d85a67625cfbf98c8544de4c877241b7aaafc7fe3",
    x"1337036ac32d8f30d4589c3c1c595812ce0fff40e37c6f5a97ab213f318290ad",
    x"f9e42d2edc81d23367967352b47e4856b82578634e6c1de72280ce8b60ce70c0",
    x"801f40eaaee1ef8723279a28b2cf4037b889dad222604678748b53ed0db0db92",
    x"39289c8998fd69835c26b619e89848a7bf02b7cb7ad1ba1581cbc4506f2550ce",
    x"df5c2eadc44c6d94a19a9aa118afe5ac3193d26401f76251f522ff042dfbcb92",
    x"eb2767c137ab7ad8279c078eff116ab0786ead3a2e0f989f72c37f82f2969670",
    x"04be97ec9bfe6ccd01f9343b7288b117b79f91cc45c24af2f93e0060ca2b6d6f",
    x"4ab075e0903e4e35b096d4d64e0e81bca5c3968aeae8e87d98d80b7e8426112e",
    x"b9551d690261fe83305f433f8230182ef45cd6ddb65b7c2247435ad9935a183f",
    x"385a3c6fda7b31ddb960a916becf71bef035c571313e6a5e9d0a26b6aceb6c93",
];

/// The first 64 bits of the fractions of the first primes' cube roots (FIPS 180-4).
const K: vector<u128> = vector[
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0xfc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x6ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x6f067aa72176fba, 0xa637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84,
    0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c, 0x4cc5d4becb3e42b6,
    0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
];

/// The same of the square roots.
const H: vector<u128> = vector[
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
];

/// How many judges there are.
public fun judges(): u64 { let keys = KEYS; keys.length() }

/// Judge `n`'s public key.
public fun key(n: u64): vector<u8> { let keys = KEYS; keys[n] }

/// Judge `n`'s signature: R = B, s = 1 + SHA-512(R ‖ A ‖ message) · (n + 1).
public fun sign(n: u64, message: &vector<u8>): vector<u8> {
    let mut bytes = key(0);
    bytes.append(key(n));
    bytes.append(*message);
    let digest = sha512(bytes);
    let mut k = 0u256;
    let mut i = digest.length();
    while (i > 0) {
        i = i - 1;
        let byte = digest[i] as u256;
        // Less than 2^253 times 8 is less than 2^256.
        k = ((k << 3) | (byte >> 5)) % ORDER;
        k = ((k << 3) | ((byte >> 2) & 7)) % ORDER;
        k = ((k << 2) | (byte & 3)) % ORDER;
    };
    let factor = (n + 1) as u256;
    let high = (k * (factor / 6) % ORDER) * 6 % ORDER;
    let s = (high + k * (factor % 6) + 1) % ORDER;
    let mut signature = key(0);
    signature.append(bcs::to_bytes(&s));
    signature
}

/// A verdict on `job` (intent 3) at `now_ms`: losses without the bias, an `after` of 0 is unmeasured.
public fun verdict(
    validator: u16,
    job: u64,
    now_ms: u64,
    dataset_root: vector<u8>,
    base_hash: vector<u8>,
    result_hash: vector<u8>,
    before: u64,
    after: u64,
): vector<u8> {
    let mut bytes = score_fixture::head(3, validator, job);
    8u64.do!(|_| { bytes.pop_back(); });
    bytes.append(bcs::to_bytes(&now_ms));
    bytes.append(dataset_root);
    bytes.append(base_hash);
    bytes.append(result_hash);
    bytes.append(bcs::to_bytes(&(BIAS + before)));
    bytes.append(bcs::to_bytes(&(BIAS + after)));
    bytes
}

// === SHA-512 ===

/// FIPS 180-4.
public fun sha512(mut bytes: vector<u8>): vector<u8> {
    let bits = bytes.length() * 8;
    bytes.push_back(0x80);
    while (bytes.length() % 128 != 112) bytes.push_back(0);
    8u8.do!(|_| bytes.push_back(0));
    8u8.do!(|i| bytes.push_back(((bits >> (56 - 8 * i)) & 0xff) as u8));
    let mut state = H;
    let k = K;
    (bytes.length() / 128).do!(|block| compress(&mut state, &k, &bytes, block * 128));
    let mut out = vector[];
    state.do!(|word| 8u8.do!(|i| out.push_back(((word >> (56 - 8 * i)) & 0xff) as u8)));
    out
}

fun compress(state: &mut vector<u128>, k: &vector<u128>, bytes: &vector<u8>, at: u64) {
    let mut w = vector[];
    16u64.do!(|t| {
        let mut word = 0u128;
        8u64.do!(|i| word = (word << 8) | (bytes[at + 8 * t + i] as u128));
        w.push_back(word);
    });
    let mut t = 16;
    while (t < 80) {
        let (x, y) = (w[t - 15], w[t - 2]);
        let s0 = ((x >> 1) | (x << 63)) ^ ((x >> 8) | (x << 56)) ^ (x >> 7);
        let s1 = ((y >> 19) | (y << 45)) ^ ((y >> 61) | (y << 3)) ^ (y >> 6);
        let sum = (s0 & LOW) + (s1 & LOW) + w[t - 7] + w[t - 16];
        w.push_back(sum & LOW);
        t = t + 1;
    };
    let (mut a, mut b, mut c, mut d) = (state[0], state[1], state[2], state[3]);
    let (mut e, mut f, mut g, mut h) = (state[4], state[5], state[6], state[7]);
    let mut t = 0;
    while (t < 80) {
        let s1 = ((e >> 14) | (e << 50)) ^ ((e >> 18) | (e << 46)) ^ ((e >> 41) | (e << 23));
        let s0 = ((a >> 28) | (a << 36)) ^ ((a >> 34) | (a << 30)) ^ ((a >> 39) | (a << 25));
        let choice = g ^ (e & (f ^ g));
        let majority = (a & b) | (c & (a | b));
        let first = h + (s1 & LOW) + choice + k[t] + w[t];
        h = g;
        g = f;
        f = e;
        e = (d + first) & LOW;
        d = c;
        c = b;
        b = a;
        a = (first + (s0 & LOW) + majority) & LOW;
        t = t + 1;
    };
    let round = vector[a, b, c, d, e, f, g, h];
    8u64.do!(|i| *&mut state[i] = (state[i] + round[i]) & LOW);
}

// === Tests ===

#[test]
fun sha512_is_the_standard_s() {
    assert!(
        sha512(b"abc") ==
            x"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
}

#[test]
fun judges_sign_what_sui_verifies() {
    judges().do!(|n| {
        let message = scenario::hash(bcs::to_bytes(&n));
        assert!(ed25519::ed25519_verify(&sign(n, &message), &key(n), &message));
        assert!(!ed25519::ed25519_verify(&sign(n, &message), &key(n), &b"another"));
    });
}
