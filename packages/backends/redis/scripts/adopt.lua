-- Keeps documents that another program stored with an expiry: they wait in a list that workers of ours consume.
-- KEYS, two per uuid: document, meta
-- ARGV: none
-- Returns how many expiries it has ended. Documents of ours have a revision, and look after themselves.
local count = 0
for at = 1, #KEYS, 2 do
  local revision = redis.pcall('HEXISTS', KEYS[at + 1], 'rev')
  if revision == 0 then count = count + redis.call('PERSIST', KEYS[at]) end
end
return count
