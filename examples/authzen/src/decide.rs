//! One question, and many.

use grantbook::{Account, Decision as Answer, DenialReason, Permission, Resource, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::vocabulary::Vocabulary;
use crate::wire::{
    Action, BadRequest, Body, Context, Decision, Entity, Evaluations, ItemError, Reason, object,
};

/// The most questions that one request may ask.
pub const MAX_EVALUATIONS: usize = 1_000;

/// Answers requests from one account, as it is.
#[derive(Debug)]
pub struct DecisionPoint<'a, V> {
    pub(crate) account: &'a Account,
    pub(crate) vocabulary: &'a V,
    now: Timestamp,
}

/// When to stop.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

#[derive(Debug, Default, Deserialize)]
struct Options {
    #[serde(default)]
    evaluations_semantic: Option<Semantic>,
}

/// What is asked, as far as the account knows it.
struct Question {
    member: Option<String>,
    permission: Option<Permission>,
    resource: Option<Resource>,
    explain: bool,
}

impl<'a, V: Vocabulary> DecisionPoint<'a, V> {
    /// Answers from this account. The time is for explanations: whether an invitation can still be accepted.
    pub fn new(account: &'a Account, vocabulary: &'a V, now: Timestamp) -> Self {
        Self {
            account,
            vocabulary,
            now,
        }
    }

    /// Answers an access evaluation request.
    ///
    /// # Errors
    /// `{` and `[]`; a body without `subject.type`, `subject.id`, `action.name`, `resource.type` or `resource.id`; one
    /// that names a member twice; members of another type, such as `"subject": "alice"`.
    pub fn evaluation(&self, body: &[u8]) -> Result<Decision, BadRequest> {
        let question = self.question(Body::read(body)?)?;
        Ok(self.answer(&question))
    }

    /// Answers an access evaluations request. Each item takes whole members of the request for those that it lacks. An
    /// item that can't be answered is denied, and says why.
    ///
    /// # Errors
    /// As [`evaluation`](Self::evaluation), of a body without items; more than [`MAX_EVALUATIONS`] items; an
    /// `evaluations_semantic` that is none; defaults that no item could take, such as `"subject": "alice"`.
    pub fn evaluations(&self, body: &[u8]) -> Result<Evaluations, BadRequest> {
        let defaults = Body::read(body)?;
        let items: Vec<&RawValue> = match defaults.evaluations {
            Some(items) => serde_json::from_str(items.get())
                .map_err(|_| BadRequest("`evaluations` takes a list of JSON objects".into()))?,
            None => Vec::new(),
        };
        if items.is_empty() {
            let question = self.question(defaults)?;
            return Ok(Evaluations::One(self.answer(&question)));
        }
        if items.len() > MAX_EVALUATIONS {
            let count = items.len();
            let wrong = format!(
                "`evaluations` takes at most {MAX_EVALUATIONS} items; this one has {count}"
            );
            return Err(BadRequest(wrong.into()));
        }
        let options = object::<Options>("options", defaults.options)?.unwrap_or_default();
        let semantic = options.evaluations_semantic.unwrap_or_default();
        object::<Entity>("subject", defaults.subject)?;
        object::<Action>("action", defaults.action)?;
        object::<Entity>("resource", defaults.resource)?;
        object::<Map<String, Value>>("context", defaults.context)?;
        let mut evaluations = Vec::with_capacity(items.len());
        for item in items {
            let decision = self.item(item, defaults);
            let is_last = match semantic {
                Semantic::ExecuteAll => false,
                Semantic::DenyOnFirstDeny => !decision.decision,
                Semantic::PermitOnFirstPermit => decision.decision,
            };
            evaluations.push(decision);
            if is_last {
                break;
            }
        }
        Ok(Evaluations::Many { evaluations })
    }

    fn item(&self, item: &RawValue, defaults: Body<'_>) -> Decision {
        let question = Body::read(item.get().as_bytes()).and_then(|item| {
            self.question(Body {
                subject: item.subject.or(defaults.subject),
                action: item.action.or(defaults.action),
                resource: item.resource.or(defaults.resource),
                context: item.context.or(defaults.context),
                ..Body::default()
            })
        });
        match question {
            Ok(question) => self.answer(&question),
            Err(BadRequest(message)) => Decision {
                decision: false,
                context: Context {
                    error: Some(ItemError {
                        status: 400,
                        message: message.into_owned(),
                    }),
                    ..self.context()
                },
            },
        }
    }

    fn question(&self, body: Body<'_>) -> Result<Question, BadRequest> {
        let (subject, action, resource) = (body.subject()?, body.action()?, body.resource()?);
        let context = object::<Map<String, Value>>("context", body.context)?.unwrap_or_default();
        Ok(Question {
            member: self.member(&subject)?,
            permission: self.vocabulary.permission(&resource.kind, &action),
            resource: self.resource(&resource)?,
            explain: context.get("explain") == Some(&Value::Bool(true)),
        })
    }

    pub(crate) fn member(&self, subject: &Entity) -> Result<Option<String>, BadRequest> {
        let id = subject.id.as_ref();
        let id = id.ok_or_else(|| BadRequest::missing("subject.id"))?;
        Ok(self.vocabulary.member(&subject.kind, id))
    }

    pub(crate) fn resource(&self, resource: &Entity) -> Result<Option<Resource>, BadRequest> {
        let id = resource.id.as_ref();
        let id = id.ok_or_else(|| BadRequest::missing("resource.id"))?;
        let account = self.account.id().as_str();
        Ok(self.vocabulary.resource(account, &resource.kind, id))
    }

    fn answer(&self, question: &Question) -> Decision {
        let mut context = self.context();
        let denied = match (&question.permission, &question.member, &question.resource) {
            (None, ..) => Some(Reason {
                code: "unknown-action",
                message: "no permission stands for this action".to_owned(),
            }),
            (_, None, _) => Some(Reason::from(&DenialReason::UnknownMember)),
            (_, _, None) => Some(Reason::from(&DenialReason::UnknownStore)),
            (Some(permission), Some(member), Some(resource)) => {
                let resource = resource.as_deref();
                if question.explain {
                    let explained = self.account.explain(member, permission, resource, self.now);
                    context.explanation = Some(Box::new(explained));
                }
                match self.account.check(member, permission, resource) {
                    Answer::Allowed => None,
                    Answer::Denied(reason) => Some(Reason::from(&reason)),
                }
            }
        };
        Decision {
            decision: denied.is_none(),
            context: Context {
                reason: denied,
                ..context
            },
        }
    }

    fn context(&self) -> Context {
        Context {
            version: self.account.version(),
            reason: None,
            explanation: None,
            error: None,
        }
    }
}

impl Body<'_> {
    pub(crate) fn subject(&self) -> Result<Entity, BadRequest> {
        object("subject", self.subject)?.ok_or_else(|| BadRequest::missing("subject"))
    }

    pub(crate) fn action(&self) -> Result<Action, BadRequest> {
        object("action", self.action)?.ok_or_else(|| BadRequest::missing("action"))
    }

    pub(crate) fn resource(&self) -> Result<Entity, BadRequest> {
        object("resource", self.resource)?.ok_or_else(|| BadRequest::missing("resource"))
    }
}
