//! A statement with its values, for either database.

use std::borrow::Cow;
use std::fmt::Write;

use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, SqlSafeStr, SqlStr};

/// A value on its way into a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// A whole number, or none.
    Int(Option<i64>),
    /// Text, or none.
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

/// A statement with its values.
///
/// ```text
/// Sql::new("SELECT id FROM records WHERE tenant = $1 AND callid = $2").with(tenant).with(callid)
/// Sql::new("SELECT id FROM records WHERE tenant = ").bind(tenant).push(" AND did IN (").bind_list(forms).push(")")
/// ```
///
/// What is pushed is our own text, never what comes from outside: that is bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sql {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

impl Sql {
    /// A statement, whole or the beginning of one.
    pub fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), values: Vec::new() }
    }

    /// The value of the next of the placeholders that stand in the text already.
    pub fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Goes on with text.
    pub fn push(mut self, text: &str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Goes on with a placeholder, and its value.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        let place = self.values.len();
        write!(self.text.to_mut(), "${place}").expect("writing into a string cannot fail");
        self
    }

    /// Goes on with placeholders between commas, and their values.
    pub fn bind_list<T: Into<Value>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        for (nth, value) in values.into_iter().enumerate() {
            if nth > 0 {
                self = self.push(", ");
            }
            self = self.bind(value);
        }
        self
    }

    /// The text as it stands; for tests of the plan that a statement gets.
    #[cfg(test)]
    #[allow(dead_code, reason = "not every noun's tests look at it")]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn for_sqlite(self) -> Result<(SqlStr, SqliteArguments), sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            match value {
                Value::Int(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok((safe(self.text), arguments))
    }

    pub(super) fn for_postgres(self) -> Result<(SqlStr, PgArguments), sqlx::Error> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            match value {
                Value::Int(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok((safe(self.text), arguments))
    }
}

fn safe(text: Cow<'static, str>) -> SqlStr {
    match text {
        Cow::Borrowed(text) => text.into_sql_str(),
        Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_in_the_order_in_which_values_are_bound() {
        let sql = Sql::new("SELECT a FROM t WHERE b = ").bind(1).push(" AND c IN (").bind_list(["x", "y"]).push(")");

        assert_eq!(sql.text, "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3)");
        assert_eq!(sql.values, [Value::from(1), "x".into(), "y".into()]);
    }

    #[test]
    fn a_whole_statement_takes_its_values_in_the_same_order() {
        let sql = Sql::new("SELECT a FROM t WHERE b = $1 AND c = $2").with(7).with(None::<String>);

        assert_eq!(sql.text, "SELECT a FROM t WHERE b = $1 AND c = $2");
        assert_eq!(sql.values, [Value::Int(Some(7)), Value::Text(None)]);
    }
}
