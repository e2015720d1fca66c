//! Outgoing and incoming packages in the embedded ledger: two kinds of row in one table.

use super::schema::{ARRIVED_AT, EXPORTED_AT, UNTOLD};
use super::{from_body, to_body, unless_there};
use crate::ledger::{Direction, Incoming, IncomingState, Outgoing, OutgoingState, PackageQuery, Stock};
use crate::model::PackageId;
use crate::sqlite::Failure;
use crate::{Error, ErrorKind};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, params, params_from_iter};
use serde::{Deserialize, Serialize};

/// What of a package the ledger is asked by.
pub(super) struct Columns<'a> {
    id: PackageId,
    partner: &'a str,
    claim: Option<&'a str>,
    kind: &'static str,
    state: &'static str,
    is_new: bool,
}

/// A package of one direction.
pub(super) trait Row: Serialize + for<'de> Deserialize<'de> {
    const DIRECTION: Direction;
    /// When it was exported or arrived, in SQL.
    const BEGAN_AT: &str;

    fn columns(&self) -> Columns<'_>;

    /// The names of the states that the query asks for; empty for all.
    fn states(query: &PackageQuery) -> Vec<&'static str>;
}

impl Row for Outgoing {
    const DIRECTION: Direction = Direction::Outgoing;
    const BEGAN_AT: &str = EXPORTED_AT;

    fn columns(&self) -> Columns<'_> {
        Columns {
            id: self.package.id,
            partner: self.partner.as_str(),
            claim: Some(self.package.claim.as_str()),
            kind: self.package.kind.name(),
            state: self.state.name(),
            is_new: false,
        }
    }

    fn states(query: &PackageQuery) -> Vec<&'static str> {
        query.outgoing_states.iter().map(|state| state.name()).collect()
    }
}

impl Row for Incoming {
    const DIRECTION: Direction = Direction::Incoming;
    const BEGAN_AT: &str = ARRIVED_AT;

    fn columns(&self) -> Columns<'_> {
        Columns {
            id: self.id,
            partner: self.from.as_str(),
            claim: self.claim.as_ref().map(|claim| claim.as_str()),
            kind: self.kind.name(),
            state: self.state.name(),
            is_new: self.is_new,
        }
    }

    fn states(query: &PackageQuery) -> Vec<&'static str> {
        query.incoming_states.iter().map(|state| state.name()).collect()
    }
}

pub(super) fn add<R: Row>(transaction: &Transaction<'_>, package: &R) -> Result<(), Failure> {
    let columns = package.columns();
    let added = transaction.execute(
        "INSERT INTO packages (direction, id, partner, claim, kind, state, is_new, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            R::DIRECTION.name(),
            columns.id.to_string(),
            columns.partner,
            columns.claim,
            columns.kind,
            columns.state,
            columns.is_new,
            to_body(package)?
        ],
    )?;
    unless_there(added, &format!("{} package {}", R::DIRECTION, columns.id))
}

/// Gives the state that the package was in.
pub(super) fn set<R: Row>(
    transaction: &Transaction<'_>,
    package: &R,
    was: Option<&str>,
) -> Result<String, Failure> {
    let columns = package.columns();
    let id = columns.id.to_string();
    let now: Option<String> = transaction
        .query_row(
            "SELECT state FROM packages WHERE direction = ?1 AND id = ?2",
            [R::DIRECTION.name(), &id],
            |row| row.get(0),
        )
        .optional()?;
    let Some(now) = now else { return Err(unknown::<R>(columns.id)) };
    if let Some(was) = was.filter(|was| *was != now) {
        let text = format!("{} package {id} is {now}, not {was}: it was dealt with meanwhile", R::DIRECTION);
        return Err(Error::new(ErrorKind::WrongState, text).into());
    }
    transaction.execute(
        "UPDATE packages SET partner = ?3, claim = ?4, kind = ?5, state = ?6, is_new = ?7, body = ?8
         WHERE direction = ?1 AND id = ?2",
        params![
            R::DIRECTION.name(),
            id,
            columns.partner,
            columns.claim,
            columns.kind,
            columns.state,
            columns.is_new,
            to_body(package)?
        ],
    )?;
    Ok(now)
}

/// How many packages stand in which state; the index by state holds all that is counted.
pub(super) fn count(connection: &Connection) -> Result<Stock, Failure> {
    let mut statement =
        connection.prepare("SELECT direction, state, count(*) FROM packages GROUP BY direction, state")?;
    let mut rows = statement.query([])?;
    let mut stock = Stock::default();
    while let Some(row) = rows.next()? {
        let (direction, state): (String, String) = (row.get(0)?, row.get(1)?);
        let count = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        let unknown = || {
            let said = format!("the ledger holds packages in a state it cannot read: {direction} {state}");
            Error::new(ErrorKind::StoreDamaged, said)
        };
        if direction == Direction::Outgoing.name() {
            stock.outgoing.insert(OutgoingState::from_name(&state).ok_or_else(unknown)?, count);
        } else {
            stock.incoming.insert(IncomingState::from_name(&state).ok_or_else(unknown)?, count);
        }
    }
    Ok(stock)
}

pub(super) fn get<R: Row>(connection: &Connection, id: PackageId) -> Result<Option<R>, Failure> {
    let body: Option<String> = connection
        .query_row(
            "SELECT body FROM packages WHERE direction = ?1 AND id = ?2",
            [R::DIRECTION.name(), &id.to_string()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(body.map(|body| from_body(&body)).transpose()?)
}

pub(super) fn list<R: Row>(connection: &Connection, query: &PackageQuery) -> Result<Vec<R>, Failure> {
    let after = query.after.map(|after| number_of::<R>(connection, after)).transpose()?;
    let (sql, values) = listing::<R>(query, after);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut packages = Vec::new();
    while let Some(row) = rows.next()? {
        packages.push(from_body(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(packages)
}

/// The numbers are chosen first, by an index and for each state by itself, so that no body is read but those of the list,
/// and nothing is gone through but what is asked for.
pub(super) fn listing<R: Row>(query: &PackageQuery, after: Option<i64>) -> (String, Vec<Value>) {
    let states = R::states(query);
    let each = if states.is_empty() { vec![None] } else { states.into_iter().map(Some).collect() };
    let (mut chosen, mut values) = (Vec::new(), Vec::new());
    for state in each {
        let (sql, its) = choice::<R>(query, state, after);
        chosen.push(format!("SELECT number FROM ({sql})"));
        values.extend(its);
    }
    let (chosen, order) = (chosen.join(" UNION ALL "), order(query));
    values.push(i64::from(query.limit).into());
    (format!("SELECT body FROM packages WHERE number IN ({chosen}) {order} LIMIT ?"), values)
}

/// The numbers of the packages in one state. Plus signs keep SQLite, which does not know how many rows a value has, from
/// the indexes of filters that find many.
fn choice<R: Row>(query: &PackageQuery, state: Option<&str>, after: Option<i64>) -> (String, Vec<Value>) {
    let is_incoming = R::DIRECTION == Direction::Incoming;
    let (only_new, only_untold) = (query.only_new && is_incoming, query.only_untold && is_incoming);
    let finds_few = query.claim.is_some() || only_new || only_untold;
    let is_timed = query.from.is_some() || query.until.is_some();
    let is_narrow = finds_few || is_timed || query.partner.is_some() || state.is_some();
    let (direction, many) = (if is_narrow { "" } else { "+" }, if finds_few { "+" } else { "" });
    let mut sql = format!("SELECT number FROM packages WHERE {direction}direction = ?");
    let mut values: Vec<Value> = vec![R::DIRECTION.name().to_owned().into()];
    let filters = [
        ("", "claim", query.claim.as_ref().map(|claim| claim.as_str())),
        (many, "partner", query.partner.as_ref().map(|partner| partner.as_str())),
        ("", "kind", query.kind.map(|kind| kind.name())),
        (many, "state", state),
    ];
    for (plus, column, value) in filters {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {plus}{column} = ?"));
            values.push(value.to_owned().into());
        }
    }
    if only_new {
        sql.push_str(" AND is_new = 1");
    }
    if only_untold {
        sql.push_str(&format!(" AND {UNTOLD} IS NOT NULL"));
    }
    for (than, moment) in [(">=", query.from), ("<", query.until)] {
        if let Some(moment) = moment {
            sql.push_str(&format!(" AND {many}{} {than} ?", R::BEGAN_AT));
            values.push(moment.to_sortable().into());
        }
    }
    if let Some(after) = after {
        sql.push_str(if query.newest_first { " AND number < ?" } else { " AND number > ?" });
        values.push(after.into());
    }
    sql.push_str(&format!(" {} LIMIT ?", order(query)));
    values.push(i64::from(query.limit).into());
    (sql, values)
}

fn order(query: &PackageQuery) -> &'static str {
    if query.newest_first { "ORDER BY number DESC" } else { "ORDER BY number" }
}

fn number_of<R: Row>(connection: &Connection, id: PackageId) -> Result<i64, Failure> {
    let number = connection
        .query_row(
            "SELECT number FROM packages WHERE direction = ?1 AND id = ?2",
            [R::DIRECTION.name(), &id.to_string()],
            |row| row.get(0),
        )
        .optional()?;
    number.ok_or_else(|| unknown::<R>(id))
}

fn unknown<R: Row>(id: PackageId) -> Failure {
    Error::new(ErrorKind::UnknownPackage, format!("no {} package {id} in the ledger", R::DIRECTION)).into()
}
