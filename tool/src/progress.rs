//! Progress display: one line per step on a terminal; elsewhere one plain line
//! when a step that takes long begins, so that logs stay readable.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A step of the work, shown until it is dropped.
pub struct Step {
    bar: ProgressBar,
    title: String,
}

impl Step {
    /// Shows that `title`, such as "building the kernel", is being done.
    pub fn begin(title: impl Into<String>) -> Step {
        let title = title.into();
        if !stderr().is_terminal() {
            eprintln!("weft: {title}");
            return Step {
                bar: ProgressBar::hidden(),
                title,
            };
        }
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(title.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        Step { bar, title }
    }

    /// Says what of the step is under way.
    pub fn detail(&self, detail: &str) {
        self.bar
            .set_message(format!("{}: {}", self.title, detail.trim()));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
