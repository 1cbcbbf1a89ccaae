//! How much memory a check may still take.

/// What is left of it, in bytes. Whatever grows with a history is taken before it is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    most: u64,
    left: u64,
}

impl Room {
    /// So many bytes.
    pub fn new(bytes: u64) -> Self {
        Room { most: bytes, left: bytes }
    }

    /// Takes some.
    ///
    /// # Errors
    /// There are not so many left.
    pub fn take(&mut self, bytes: u64) -> Result<(), String> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(format!("more than {} MiB of memory would be needed", self.most.div_ceil(1 << 20)))
            }
        }
    }

    /// How many there are.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Gives some back.
    pub fn give(&mut self, bytes: u64) {
        self.left = self.most.min(self.left.saturating_add(bytes));
    }
}
