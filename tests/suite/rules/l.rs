//! L: roles and permissions.

mod permissions;
mod roles;
