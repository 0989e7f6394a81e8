//! What the user types at the console: everything goes to the guest, but for
//! the commands that begin with Ctrl-A, as QEMU's own console has them.

/// Ctrl-A.
const ESCAPE: u8 = 1;

/// What a typed byte asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// For the guest.
    Byte(u8),
    /// The beginning of a command.
    Nothing,
    /// Leave: Ctrl-A X.
    Quit,
    /// Explain the commands: Ctrl-A H, or a Ctrl-A with anything unknown.
    Help,
}

/// Tells commands from input.
#[derive(Default)]
pub struct Escape {
    /// The last byte was Ctrl-A.
    begun: bool,
}

impl Escape {
    pub fn feed(&mut self, byte: u8) -> Typed {
        if !self.begun {
            self.begun = byte == ESCAPE;
            return if self.begun {
                Typed::Nothing
            } else {
                Typed::Byte(byte)
            };
        }
        self.begun = false;
        match byte {
            b'x' | b'X' => Typed::Quit,
            // Twice, or with A: a Ctrl-A for the guest.
            ESCAPE | b'a' | b'A' => Typed::Byte(ESCAPE),
            _ => Typed::Help,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_input() {
        let mut escape = Escape::default();
        let typed: Vec<Typed> = b"a\x01\x01\x01hx\x01x"
            .iter()
            .map(|byte| escape.feed(*byte))
            .collect();
        use Typed::*;
        let expected = [
            Byte(b'a'),
            Nothing,
            Byte(1),
            Nothing,
            Help,
            Byte(b'x'),
            Nothing,
            Quit,
        ];
        assert_eq!(typed, expected);
    }
}
