//! Settings as files.

/// A file that shows a setting and takes another value for it.
macro_rules! setting {
    ($name:literal, $setting:path) => {
        $crate::proc::Entry {
            name: $name,
            permissions: 0o644,
            what: $crate::proc::What::File(
                Some(|_, text| $setting.tell(text)),
                Some(|_, word| $setting.set(word)),
            ),
        }
    };
}

pub(super) use setting;
