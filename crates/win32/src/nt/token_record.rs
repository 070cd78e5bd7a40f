//! A process's token as a row of bytes, for the child that starts with a copy of it.

use super::privilege::Privilege;
use super::token::{Membership, Token, TokenState, unique_id};
use crate::logic::record::{Damaged, Reader, Writer};
use crate::logic::security::{Acl, Sid};

/// Lays a token in a row of bytes.
pub fn encode(token: &Token) -> Vec<u8> {
    let (state, mut writer) = (token.state(), Writer::default());
    write_member(&mut writer, &token.user);
    writer.u32(u32::from(token.is_elevated)).u32(token.restricted.len() as u32);
    for sid in &token.restricted {
        writer.bytes(&sid.to_bytes());
    }
    writer.u32(state.groups.len() as u32);
    for group in &state.groups {
        write_member(&mut writer, group);
    }
    writer.u32(state.privileges.len() as u32);
    for held in &state.privileges {
        writer.u32(held.number).u32(held.attributes);
    }
    writer.bytes(&state.owner.to_bytes()).bytes(&state.primary_group.to_bytes());
    writer.bytes(state.default_dacl.as_ref().map_or(&[][..], Acl::bytes));
    writer.finish()
}

/// Reads a token; none where there is none, or it is damaged.
pub fn decode(bytes: &[u8]) -> Option<Token> {
    if bytes.is_empty() { None } else { read(&mut Reader::new(bytes)).ok() }
}

fn read(reader: &mut Reader<'_>) -> Result<Token, Damaged> {
    let user = read_member(reader)?;
    let is_elevated = reader.u32()? != 0;
    let mut restricted = Vec::new();
    for _ in 0..reader.u32()? {
        restricted.push(read_sid(reader)?);
    }
    let (mut groups, mut privileges) = (Vec::new(), Vec::new());
    for _ in 0..reader.u32()? {
        groups.push(read_member(reader)?);
    }
    for _ in 0..reader.u32()? {
        privileges.push(Privilege { number: reader.u32()?, attributes: reader.u32()? });
    }
    let (owner, primary_group) = (read_sid(reader)?, read_sid(reader)?);
    let default_dacl = Acl::parse(&reader.bytes()?);
    if !reader.is_at_end() {
        return Err(Damaged);
    }
    let state = TokenState { groups, privileges, owner, primary_group, default_dacl, modified: unique_id() };
    Ok(Token::from_parts(user, restricted, is_elevated, state))
}

fn write_member(writer: &mut Writer, member: &Membership) {
    writer.bytes(&member.sid.to_bytes()).u32(member.attributes);
}

fn read_member(reader: &mut Reader<'_>) -> Result<Membership, Damaged> {
    Ok(Membership { sid: read_sid(reader)?, attributes: reader.u32()? })
}

fn read_sid(reader: &mut Reader<'_>) -> Result<Sid, Damaged> {
    Sid::parse(&reader.bytes()?).ok_or(Damaged)
}

#[cfg(test)]
mod tests {
    use plat_host::accounts::Identity;

    use super::*;
    use crate::logic::security::well_known::administrators;
    use crate::nt::token::Restriction;

    #[test]
    fn a_restricted_token_survives_the_way_and_a_cut_one_does_not() {
        let root = Token::of(&Identity { user: 0, group: 0, groups: vec![4] });
        let less = Restriction {
            all_privileges: true,
            deny_only: vec![administrators()],
            restricted: vec![Sid::new(1, &[0])],
            ..Restriction::default()
        };
        let token = root.restrict(&less);
        let bytes = encode(&token);
        let copy = decode(&bytes).expect("it was just written");
        assert!(!copy.is_elevated && !copy.is_member(&administrators()));
        assert_eq!((&copy.user, &copy.restricted), (&token.user, &token.restricted));
        assert_eq!((copy.state().groups, copy.privileges()), (token.state().groups, token.privileges()));
        assert_eq!(encode(&copy), bytes);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_none(), "{cut}");
        }
    }
}
