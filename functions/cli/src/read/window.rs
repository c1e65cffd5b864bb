//! A window over a file's content: it slides on as the content is read, and grows for a record that needs it.

use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much is read at a time: it stays in the cache, and few records are longer.
pub(crate) const SMALL: usize = 256 * 1024;

/// From this size on a window is large, and only one reader at a time may have such a one.
const LARGE: usize = 4 * SMALL;

/// The longest record, line or document that is held in memory.
pub(crate) const LIMIT: usize = 16 * 1024 * 1024;

/// Held by the reader whose window is large: memory must not grow with the number of threads.
static ONE_LARGE: Mutex<()> = Mutex::new(());

/// What became of reading on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    /// There is more content than before.
    Read,
    /// The content ends here.
    End,
    /// What has to be kept fills the largest window there may be.
    Full,
}

/// A window over content. Places in it are offsets in the whole content, so that no answer depends on its size.
pub(crate) struct Window<'a> {
    source: Box<dyn Read + 'a>,
    buffer: &'a mut Vec<u8>,
    /// The offset of the buffer's first byte.
    base: u64,
    /// Where in the buffer what is kept begins, and where it ends.
    first: usize,
    end: usize,
    limit: usize,
    done: bool,
    broken: Option<io::Error>,
    large: Option<MutexGuard<'static, ()>>,
}

impl<'a> Window<'a> {
    /// A window over content that nothing was read of yet. The buffer may be another window's of before.
    pub(crate) fn new(
        source: Box<dyn Read + 'a>,
        buffer: &'a mut Vec<u8>,
        size: usize,
        limit: usize,
    ) -> Self {
        buffer.resize(size.max(1), 0);
        Self {
            source,
            buffer,
            base: 0,
            first: 0,
            end: 0,
            limit: limit.max(size),
            done: false,
            broken: None,
            large: None,
        }
    }

    /// The offset of what is kept.
    pub(crate) fn start(&self) -> u64 {
        self.base + self.first as u64
    }

    /// The offset behind what was read.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.end as u64
    }

    /// Whether nothing comes behind what was read.
    pub(crate) fn done(&self) -> bool {
        self.done
    }

    /// Why reading broke off, if it did.
    pub(crate) fn broken(&self) -> Option<&io::Error> {
        self.broken.as_ref()
    }

    /// What was read from an offset on, which must not lie before what is kept.
    pub(crate) fn from(&self, at: u64) -> &[u8] {
        let from = usize::try_from(at.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.buffer.get(from.max(self.first)..self.end).unwrap_or_default()
    }

    /// What was read between two offsets.
    pub(crate) fn between(&self, at: u64, end: u64) -> &[u8] {
        let from = self.from(at);
        let length = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        &from[..length.min(from.len())]
    }

    /// Reads on, and keeps what was read from an offset on.
    pub(crate) fn more(&mut self, keep: u64) -> More {
        let keep = usize::try_from(keep.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.first = keep.clamp(self.first, self.end);
        if self.done {
            return More::End;
        }
        self.slide();
        if self.end == self.buffer.len() {
            return More::Full;
        }
        let before = self.end;
        while !self.done && self.end < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.done = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.done = true;
                    self.broken = Some(error);
                }
            }
        }
        if self.end == before { More::End } else { More::Read }
    }

    /// Makes room behind what is kept: half of the window at least, as far as it may grow.
    fn slide(&mut self) {
        if self.first > 0 {
            self.buffer.copy_within(self.first..self.end, 0);
            self.base += self.first as u64;
            self.end -= self.first;
            self.first = 0;
        }
        if self.end > self.buffer.len() / 2 {
            let size = (self.buffer.len() * 2).min(self.limit).max(self.buffer.len());
            if size > LARGE && self.large.is_none() {
                self.large = Some(ONE_LARGE.lock().unwrap_or_else(PoisonError::into_inner));
            }
            self.buffer.resize(size, 0);
        }
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        if self.buffer.len() > LARGE {
            self.buffer.truncate(SMALL);
            self.buffer.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_slides_and_grows_for_what_is_kept() {
        let text: Vec<u8> = (0..=255).cycle().take(5000).collect();
        let mut buffer = Vec::new();
        let mut window = Window::new(Box::new(text.as_slice()), &mut buffer, 16, 1024);
        let mut at = 0;
        while window.more(at) == More::Read {
            assert!(window.buffer.len() <= 32, "what is not kept needs no room");
            assert_eq!(window.from(at), &text[at as usize..window.end() as usize]);
            at = window.end() - 8;
        }
        assert_eq!(window.end(), 5000);
        drop(window);
        let mut window = Window::new(Box::new(text.as_slice()), &mut buffer, 16, 1024);
        while window.more(100) == More::Read {}
        assert_eq!(window.more(100), More::Full);
        assert_eq!(window.from(100), &text[100..1124]);
        assert_eq!(window.between(200, 300), &text[200..300]);
    }

    #[test]
    fn what_came_before_a_break_is_kept() {
        struct Breaks(usize);
        impl Read for Breaks {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Err(io::ErrorKind::Interrupted.into()),
                    2 => {
                        into[..3].copy_from_slice(b"abc");
                        Ok(3)
                    }
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            }
        }
        let mut buffer = Vec::new();
        let mut window = Window::new(Box::new(Breaks(0)), &mut buffer, 16, 16);
        assert_eq!((window.more(0), window.more(0)), (More::Read, More::End));
        assert_eq!((window.from(0), window.done()), (&b"abc"[..], true));
        assert!(window.broken().is_some());
    }
}
