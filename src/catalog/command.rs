//! Whether a command names permissions that there are, before it is executed.

use std::collections::BTreeSet;
use std::error::Error;

use crate::account::changes::Command;
use crate::catalog::Catalog;
use crate::errors::{coded_errors, serialized_as_object};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::visible::Quoted;

impl Catalog {
    /// Checks that a command names no permission but those of the catalog, and those of a new role at its level. Commands
    /// that name no permissions pass.
    ///
    /// The level of a role that is changed is for the account to know:
    /// [`Account::review_with`](crate::Account::review_with) finds what such a role holds of the other level.
    ///
    /// # Errors
    /// The first permission, in the order of text, that is unknown, with the known one that reads much like it; or that
    /// belongs to the other level.
    ///
    /// ```
    /// use grantbook::command::DefineRole;
    /// use grantbook::{Catalog, Permission, RoleId, RoleLevel, RoleName};
    ///
    /// let catalog = Catalog::new([(Permission::parse("report.export")?, RoleLevel::Store)])?;
    /// let define = DefineRole {
    ///     role: RoleId::parse("analyst")?,
    ///     name: RoleName::parse("Analyst")?,
    ///     level: RoleLevel::Store,
    ///     permissions: [Permission::parse("report.exprot")?].into(),
    /// };
    /// let error = catalog.check(&define.into()).unwrap_err();
    /// assert_eq!(error.code(), "unknown-permission");
    /// assert_eq!(
    ///     error.to_string(),
    ///     "there is no permission `report.exprot`; did you mean `report.export`, of store level?",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check(&self, command: &Command) -> Result<(), PermissionError> {
        if let Command::DefineRole(define) = command {
            self.check_permissions(&define.permissions, Some(define.level))
        } else if let Command::ChangeRole(change) = command {
            let permissions = change.permissions.as_ref();
            permissions.map_or(Ok(()), |permissions| {
                self.check_permissions(permissions, None)
            })
        } else {
            Ok(())
        }
    }

    fn check_permissions(
        &self,
        permissions: &BTreeSet<Permission>,
        level: Option<RoleLevel>,
    ) -> Result<(), PermissionError> {
        for permission in permissions {
            let Some(listed) = self.level_of(permission) else {
                let nearest = self.nearest(permission).cloned();
                return Err(PermissionError::Unknown {
                    permission: permission.clone(),
                    level: nearest.as_ref().and_then(|nearest| self.level_of(nearest)),
                    nearest,
                });
            };
            if level.is_some_and(|level| level != listed) {
                return Err(PermissionError::WrongLevel {
                    permission: permission.clone(),
                    level: listed,
                });
            }
        }
        Ok(())
    }
}

coded_errors! {
    /// Why a permission cannot be meant: [`Catalog::check`] says so.
    #[derive(Clone, Debug, Eq, PartialEq)]
    #[non_exhaustive]
    pub enum PermissionError with http_status {
        /// The catalog does not have it: most likely a typing error.
        #[error("unknown-permission", "there is no permission {permission}{}", advice(nearest.as_ref(), *level))]
        Unknown {
            /// The permission.
            permission: Permission,
            /// A known permission that reads much like it.
            nearest: Option<Permission>,
            /// The level of the nearest one.
            level: Option<RoleLevel>,
        },
        /// It belongs to the other level, so it would grant nothing ([L6](crate::docs::rules#L6)).
        #[error("wrong-level", "{permission} is of {level} level; a role of the other level cannot give it")]
        WrongLevel {
            /// The permission.
            permission: Permission,
            /// The level that it belongs to.
            level: RoleLevel,
        },
    }
}

impl PermissionError {
    /// Returns 422, the status with which an HTTP service answers.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        422
    }
}

impl Error for PermissionError {}

serialized_as_object!(PermissionError);

fn advice(nearest: Option<&Permission>, level: Option<RoleLevel>) -> String {
    match (nearest, level) {
        (Some(nearest), Some(level)) => {
            format!("; did you mean {}, of {level} level?", Quoted(nearest))
        }
        (Some(nearest), None) => format!("; did you mean {}?", Quoted(nearest)),
        (None, _) => "; check the spelling, or add it to the catalog".to_owned(),
    }
}
