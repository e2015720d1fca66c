//! A progress bar on the error stream, for steps that move more than a mebibyte, on a terminal only.

use claimwire::codec::Watch;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

const WORTH_SHOWING: u64 = 1 << 20;
const WIDTH: u64 = 40;

pub(crate) struct ProgressBar {
    step: &'static str,
    total: Option<u64>,
    moved: AtomicU64,
    shown: AtomicU64,
    on_terminal: bool,
}

impl ProgressBar {
    /// A bar for a step of unknown length.
    pub(crate) fn new(step: &'static str) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        Self { step, total: None, moved: AtomicU64::new(0), shown: AtomicU64::new(0), on_terminal }
    }

    /// A bar for a step over `total` bytes.
    pub(crate) fn of(step: &'static str, total: u64) -> Self {
        Self { total: Some(total), ..Self::new(step) }
    }

    pub(crate) fn finish(&self) {
        if self.shown.load(Ordering::Relaxed) > 0 {
            eprintln!();
        }
    }

    fn draw(&self, moved: u64) {
        let mib = moved >> 20;
        let line = match self.total {
            Some(total) if total > 0 => {
                let filled = usize::try_from(moved.min(total) * WIDTH / total).unwrap_or(0);
                format!("{:─<40}  {mib} of {} MiB", "█".repeat(filled), total >> 20)
            }
            _ => format!("{mib} MiB"),
        };
        eprint!("\r    {:<10} {line}", self.step);
        let _ = std::io::stderr().flush();
    }
}

impl Watch for ProgressBar {
    fn moved(&self, bytes: u64) -> ControlFlow<()> {
        let moved = self.moved.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.on_terminal && moved >= self.shown.load(Ordering::Relaxed) + WORTH_SHOWING {
            self.shown.store(moved, Ordering::Relaxed);
            self.draw(moved);
        }
        ControlFlow::Continue(())
    }
}
