//! The programs that scripts are made of.

crate::scripts!("tools":
    tools_text = "text",
    tools_files = "files",
    tools_system = "system",
    tools_help = "help",
);
