//! CRC32C, the checksum of ext4's metadata and of its journal (RFC 3720,
//! appendix B.4), without the final inversion, as ext4 chains it.

/// Continues `crc` over `bytes`. The first one is `!0`.
pub fn crc32c(crc: u32, bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut crc = crc;
    for word in words {
        let [a, b, c, d, e, f, g, h] = word;
        let [k, l, m, n] = crc.to_le_bytes();
        crc = TABLES[7][usize::from(a ^ k)]
            ^ TABLES[6][usize::from(b ^ l)]
            ^ TABLES[5][usize::from(c ^ m)]
            ^ TABLES[4][usize::from(d ^ n)]
            ^ TABLES[3][usize::from(*e)]
            ^ TABLES[2][usize::from(*f)]
            ^ TABLES[1][usize::from(*g)]
            ^ TABLES[0][usize::from(*h)];
    }
    for byte in rest {
        crc = TABLES[0][usize::from(byte ^ crc as u8)] ^ crc >> 8;
    }
    crc
}

/// What `crc32c` was continued from if over `bytes` it came to `crc`.
pub fn before(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(crc, |crc, byte| {
        let undone = (0..8).fold(crc, |crc, _| match crc >> 31 {
            0 => crc << 1,
            _ => (crc ^ POLYNOMIAL) << 1 | 1,
        });
        undone ^ u32::from(*byte)
    })
}

/// The four bytes over which `crc32c` continues `from` to `to`.
pub fn between(from: u32, to: u32) -> [u8; 4] {
    (from ^ before(to, &[0; 4])).to_le_bytes()
}

/// The polynomial, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `TABLES[n][byte]`: the effect of a byte that `n` more bytes follow.
static TABLES: [[u32; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut later = 1;
    while later < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before: u32 = tables[later - 1][byte];
            tables[later][byte] = tables[0][(before & 0xff) as usize] ^ before >> 8;
            byte += 1;
        }
        later += 1;
    }
    tables
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums() {
        // RFC 3720, appendix B.4.
        assert_eq!(!crc32c(!0, &[0; 32]), 0x8a91_36aa);
        assert_eq!(!crc32c(!0, &[0xff; 32]), 0x62a8_ab43);
        let counting: [u8; 32] = core::array::from_fn(|index| index as u8);
        assert_eq!(!crc32c(!0, &counting), 0x46dd_794e);
    }

    #[test]
    fn a_checksum_can_be_kept() {
        let bytes: [u8; 45] = core::array::from_fn(|index| (index * 7) as u8);
        let crc = crc32c(!0, &bytes);
        assert_eq!(before(crc, &bytes), !0);
        for wanted in [0, 1, 0x1234_5678, !0] {
            let bytes = between(crc, wanted);
            assert_eq!(crc32c(crc, &bytes), wanted);
        }
    }

    #[test]
    fn parts_chain() {
        let bytes: [u8; 45] = core::array::from_fn(|index| (index * 7) as u8);
        for cut in 0..bytes.len() {
            let first = crc32c(!0, &bytes[..cut]);
            assert_eq!(crc32c(first, &bytes[cut..]), crc32c(!0, &bytes));
        }
    }
}
