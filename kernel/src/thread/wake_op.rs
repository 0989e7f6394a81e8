//! `FUTEX_WAKE_OP`: one call changes a word, wakes those who wait for another,
//! and perhaps those who wait for the first (futex(2)).

use super::{Current, futex};
use abi::Errno;
use abi::futex::*;
use futex::Word;
use machine::copy;

/// What a code says, taken apart. Operands are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operation {
    change: Change,
    operand: i32,
    compare: Compare,
    with: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Set,
    Add,
    Or,
    AndNot,
    Xor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operation {
    /// ENOSYS.
    fn new(code: u32) -> Result<Operation, Errno> {
        let change = code >> 28;
        let operand = (code as i32) << 8 >> 20;
        let operand = match change & FUTEX_OP_OPARG_SHIFT {
            0 => operand,
            _ => 1 << (operand & 31),
        };
        Ok(Operation {
            change: match change & !FUTEX_OP_OPARG_SHIFT {
                FUTEX_OP_SET => Change::Set,
                FUTEX_OP_ADD => Change::Add,
                FUTEX_OP_OR => Change::Or,
                FUTEX_OP_ANDN => Change::AndNot,
                FUTEX_OP_XOR => Change::Xor,
                _ => return Err(Errno::ENOSYS),
            },
            operand,
            compare: match code >> 24 & 15 {
                FUTEX_OP_CMP_EQ => Compare::Equal,
                FUTEX_OP_CMP_NE => Compare::NotEqual,
                FUTEX_OP_CMP_LT => Compare::Less,
                FUTEX_OP_CMP_LE => Compare::LessOrEqual,
                FUTEX_OP_CMP_GT => Compare::Greater,
                FUTEX_OP_CMP_GE => Compare::GreaterOrEqual,
                _ => return Err(Errno::ENOSYS),
            },
            with: (code as i32) << 20 >> 20,
        })
    }

    fn change(self, word: u32) -> u32 {
        let operand = self.operand as u32;
        match self.change {
            Change::Set => operand,
            Change::Add => word.wrapping_add(operand),
            Change::Or => word | operand,
            Change::AndNot => word & !operand,
            Change::Xor => word ^ operand,
        }
    }

    fn holds(self, word: u32) -> bool {
        let word = word as i32;
        match self.compare {
            Compare::Equal => word == self.with,
            Compare::NotEqual => word != self.with,
            Compare::Less => word < self.with,
            Compare::LessOrEqual => word <= self.with,
            Compare::Greater => word > self.with,
            Compare::GreaterOrEqual => word >= self.with,
        }
    }
}

/// Changes the word `second`, wakes up to `count` waiters of `first`, and, if
/// `second` was what the code asks for, up to `second_count` of its own. How many.
///
/// No lock is held over all of it: who looked at `second` before the change is
/// in the queue when it is searched, and who looks later sees the change.
///
/// # Errors
/// `EFAULT`, `EINVAL` for a bad address; `ENOSYS` for an unknown code.
pub fn wake_op(
    current: &Current,
    first: Word,
    count: usize,
    second: Word,
    second_count: usize,
    code: u32,
) -> Result<usize, Errno> {
    let operation = Operation::new(code)?;
    futex::check_word(first)?;
    futex::check_word(second)?;
    let mut word = copy::fetch_u32(second.address).map_err(|_| Errno::EFAULT)?;
    loop {
        let new = operation.change(word);
        let was = copy::compare_exchange_u32(second.address, word, new);
        match was.map_err(|_| Errno::EFAULT)? {
            was if was == word => break,
            was => word = was,
        }
    }
    let mut woken = futex::wake(current, first, count, FUTEX_BITSET_MATCH_ANY)?;
    if operation.holds(word) {
        woken += futex::wake(current, second, second_count, FUTEX_BITSET_MATCH_ANY)?;
    }
    Ok(woken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::futex::wake_op as wake_op_code;

    #[test]
    fn codes_are_taken_apart() {
        let code = wake_op_code(FUTEX_OP_ADD, -1, FUTEX_OP_CMP_GE, -2048);
        let expected = Operation {
            change: Change::Add,
            operand: -1,
            compare: Compare::GreaterOrEqual,
            with: -2048,
        };
        assert_eq!(Operation::new(code), Ok(expected));
        let shifted = FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT;
        let code = wake_op_code(shifted, 31, FUTEX_OP_CMP_EQ, 0);
        assert_eq!(Operation::new(code).unwrap().operand, i32::MIN);
        for bad in [5 << 28, 7 << 28, 6 << 24, 15 << 24] {
            assert_eq!(Operation::new(bad), Err(Errno::ENOSYS), "{bad:#x}");
        }
    }

    #[test]
    fn words_are_changed_and_compared() {
        let of = |change, operand, compare, with| {
            Operation::new(wake_op_code(change, operand, compare, with)).unwrap()
        };
        let changed = |change| of(change, 6, 0, 0).change(5);
        assert_eq!(changed(FUTEX_OP_SET), 6);
        assert_eq!(changed(FUTEX_OP_ADD), 11);
        assert_eq!(changed(FUTEX_OP_OR), 7);
        assert_eq!(changed(FUTEX_OP_ANDN), 1);
        assert_eq!(changed(FUTEX_OP_XOR), 3);
        assert_eq!(of(FUTEX_OP_ADD, -1, 0, 0).change(0), u32::MAX);
        for (compare, less, equal, greater) in [
            (FUTEX_OP_CMP_EQ, false, true, false),
            (FUTEX_OP_CMP_NE, true, false, true),
            (FUTEX_OP_CMP_LT, true, false, false),
            (FUTEX_OP_CMP_LE, true, true, false),
            (FUTEX_OP_CMP_GT, false, false, true),
            (FUTEX_OP_CMP_GE, false, true, true),
        ] {
            let held = [u32::MAX - 1, u32::MAX, 0].map(|word| of(0, 0, compare, -1).holds(word));
            assert_eq!(held, [less, equal, greater], "{compare}");
        }
    }
}
