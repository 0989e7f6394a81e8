use anyhow::Result;
pub fn run(_workspace: &crate::workspace::Workspace) -> Result<u8> {
    Ok(0)
}
