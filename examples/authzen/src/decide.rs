//! One question, and many.

use grantbook::{
    Account, Decision as Answer, DenialReason, MemberId, Permission, Resource, Timestamp,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::vocabulary::Vocabulary;
use crate::wire::{
    Action, BadRequest, Body, Context, Decision, Entity, Evaluations, ItemError, Reason, object,
};

/// The most questions that one request may ask.
pub const MAX_EVALUATIONS: usize = 1_000;

/// So many answers of one request are explained, if that is asked for: the first ones.
pub const MAX_EXPLANATIONS: usize = 100;

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

/// What a body holds of a question, read once.
#[derive(Default)]
struct Parts {
    subject: Option<Entity>,
    action: Option<Action>,
    resource: Option<Entity>,
    explain: Option<bool>,
}

impl Parts {
    fn of(body: Body<'_>) -> Result<Self, BadRequest> {
        let context = object::<Map<String, Value>>("context", body.context)?;
        Ok(Self {
            subject: object("subject", body.subject)?,
            action: object("action", body.action)?,
            resource: object("resource", body.resource)?,
            explain: context.map(|context| context.get("explain") == Some(&Value::Bool(true))),
        })
    }
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
        self.one(Body::read(body)?)
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
            return self.one(defaults).map(Evaluations::One);
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
        let defaults = Parts::of(defaults)?;
        let mut evaluations = Vec::with_capacity(items.len());
        let mut explanations = 0;
        for item in items {
            let decision = self.item(item, &defaults, explanations < MAX_EXPLANATIONS);
            explanations += usize::from(decision.context.explanation.is_some());
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

    fn one(&self, body: Body<'_>) -> Result<Decision, BadRequest> {
        let question = self.question(&Parts::of(body)?, &Parts::default())?;
        Ok(self.answer(&question))
    }

    fn item(&self, item: &RawValue, defaults: &Parts, may_explain: bool) -> Decision {
        let own = Body::read(item.get().as_bytes()).and_then(Parts::of);
        match own.and_then(|own| self.question(&own, defaults)) {
            Ok(question) => self.answer(&Question {
                explain: question.explain && may_explain,
                ..question
            }),
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

    /// The question of an item; what it lacks, it takes from the defaults.
    fn question(&self, own: &Parts, defaults: &Parts) -> Result<Question, BadRequest> {
        let missing = BadRequest::missing;
        let subject = own.subject.as_ref().or(defaults.subject.as_ref());
        let action = own.action.as_ref().or(defaults.action.as_ref());
        let resource = own.resource.as_ref().or(defaults.resource.as_ref());
        let subject = subject.ok_or_else(|| missing("subject"))?;
        let action = action.ok_or_else(|| missing("action"))?;
        let resource = resource.ok_or_else(|| missing("resource"))?;
        Ok(Question {
            member: self.member(subject)?,
            permission: self.vocabulary.permission(&resource.kind, action),
            resource: self.resource(resource)?,
            explain: own.explain.or(defaults.explain).unwrap_or_default(),
        })
    }

    pub(crate) fn member(&self, subject: &Entity) -> Result<Option<String>, BadRequest> {
        let id = subject.id.as_ref();
        let id = id.ok_or_else(|| BadRequest::missing("subject.id"))?;
        let member = self.vocabulary.member(&subject.kind, id);
        // What is no id is nobody's, and need not be repeated.
        Ok(member.filter(|member| MemberId::parse(member).is_ok()))
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
