//! The engine against images that the host's tools make and check.

mod crash;
mod damage;
mod image;
mod model;
