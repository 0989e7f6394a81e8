//! What `stressfs` writes: blocks that tell which they are, so that whoever
//! reads one, the program itself or the judge of a crash, knows that it is
//! right.

/// Bytes of a block; files are whole blocks.
pub const STRESS_BLOCK: usize = 4096;

/// Block `index` of a file as it is written in round `round`.
pub fn stress_block(round: u64, index: u64) -> [u8; STRESS_BLOCK] {
    let mut block = [0; STRESS_BLOCK];
    for (at, word) in block.chunks_exact_mut(8).enumerate() {
        let value = round.rotate_left(32) ^ index.rotate_left(8) ^ at as u64;
        word.copy_from_slice(&value.to_le_bytes());
    }
    block
}

/// The round that a file's first block is of, if it is whole.
pub fn stress_round(first: &[u8]) -> Option<u64> {
    let word = u64::from_le_bytes(*first.first_chunk()?);
    // Nobody comes to more rounds, and another block's word tells of more.
    let round = u64::from(u32::try_from(word.rotate_right(32)).ok()?);
    (first == stress_block(round, 0)).then_some(round)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_tells_its_round() {
        let block = stress_block(7, 0);
        assert_eq!(stress_round(&block), Some(7));
        assert_eq!(stress_round(&stress_block(7, 1)), None);
        assert_eq!(stress_round(&block[..8]), None);
        // Rounds begin with 0, whose blocks are no holes.
        assert!(stress_block(0, 0).iter().any(|byte| *byte != 0));
    }
}
