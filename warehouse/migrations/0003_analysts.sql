-- Analysts read and nothing else. An IAM role tagged RedshiftDbRoles=analyst signs in with this one.
CREATE ROLE analyst;
GRANT USAGE ON SCHEMA star, marts, loading TO ROLE analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA star, marts, loading TO ROLE analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA star GRANT SELECT ON TABLES TO ROLE analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA marts GRANT SELECT ON TABLES TO ROLE analyst;
-- Everybody may make tables in public, and use the IAM role that COPY reads the lake with, unless
-- told otherwise.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ASSUMEROLE ON ALL FROM PUBLIC FOR ALL;
