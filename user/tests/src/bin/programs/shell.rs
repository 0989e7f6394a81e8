//! The language of the shell.

crate::scripts!("shell":
    shell_lists = "lists",
    shell_control = "control",
    shell_expansion = "expansion",
    shell_globs = "globs",
    shell_redirections = "redirections",
    shell_builtins = "builtins",
    shell_endings = "endings",
    shell_jobs = "jobs",
);
