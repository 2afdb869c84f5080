//! A screen of one's own: the terminal is as before when it is dropped.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// The alternate screen, no cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

pub(super) struct Terminal {
    /// How keys were read before; none where standard input is no terminal.
    before: Option<Termios>,
}

impl Terminal {
    /// None where standard output is no terminal.
    pub(super) fn enter() -> Option<Self> {
        if !io::stdout().is_terminal() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut modes) = before.clone() {
            // Keys come at once and are not shown; Ctrl-C stays a signal.
            modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
        }
        write(ENTER);
        Some(Self { before })
    }

    /// Replaces what is shown: whole lines, as many and as much of each as there is room for.
    pub(super) fn show(&self, text: &str) {
        let (columns, rows) = match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => (80, 24),
        };
        let mut out = String::from("\x1b[H");
        for (row, line) in text.lines().take(rows).enumerate() {
            let line: String = line.chars().take(columns).collect();
            let _ = write!(out, "{}{line}\x1b[K", if row == 0 { "" } else { "\r\n" });
        }
        write(&format!("{out}\x1b[J"));
    }

    /// Resolves when `q` is pressed.
    pub(super) async fn quit(terminal: Option<&Self>) {
        let Some(Self { before: Some(_) }) = terminal else { return std::future::pending().await };
        let (pressed, quit) = tokio::sync::oneshot::channel();
        // Ends with the process: nothing else interrupts a read.
        std::thread::spawn(move || {
            let quits = |key: &io::Result<u8>| !matches!(key, Ok(key) if !key.eq_ignore_ascii_case(&b'q'));
            if let Some(Ok(_)) = io::stdin().lock().bytes().find(quits) {
                let _ = pressed.send(());
            }
        });
        // No more keys will come; the other ways to end remain.
        if quit.await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        write(LEAVE);
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

fn write(text: &str) {
    let mut out = io::stdout();
    // A terminal that is gone shows nothing.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
