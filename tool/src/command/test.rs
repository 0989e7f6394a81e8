use anyhow::Result;
pub fn run(_workspace: &crate::workspace::Workspace, _arguments: &crate::cli::Test) -> Result<u8> {
    Ok(0)
}
