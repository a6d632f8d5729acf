-- Removes boxes that have been carried out, and starts expiry when nothing else is open.
-- KEYS: 1 document, 2 meta, 3 deliveries
-- ARGV: ids of the boxes
-- Returns 1.
--@include expiry
--@include deliveries
for _, id in ipairs(ARGV) do redis.call('HDEL', KEYS[3], 'x:' .. id) end
if count_open(load_deliveries(KEYS[3]), KEYS[2]) == 0 then
  apply_expiry(KEYS[1], KEYS[2], KEYS[3])
end
return 1
