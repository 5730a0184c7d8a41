SELECT r.rolname AS name, r.rolsuper AS superuser, r.rolcanlogin AS canlogin,
       COALESCE(r.rolvaliduntil::text, '') AS valid_until,
       ARRAY(SELECT b.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON m.roleid = b.oid
             WHERE m.member = r.oid) AS member_of
FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname
