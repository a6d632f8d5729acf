-- Takes entries from the head of a list as long as all of them could be vCons: other lists belong to other programs.
-- KEYS: 1 list
-- ARGV: 1 how many at most
-- Returns the entries taken, or 0 when one of them is no uuid and nothing is taken.
local entries = redis.call('LRANGE', KEYS[1], 0, ARGV[1] - 1)
for _, entry in ipairs(entries) do
  if #entry ~= 36 or not string.match(entry, '^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x+$') then return 0 end
end
return redis.call('LPOP', KEYS[1], ARGV[1]) or {}
