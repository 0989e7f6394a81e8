-- Coroutines, closures, strings, files and processes.
local function numbers(n)
    return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end)
end
local sum = 0
for i in numbers(1000) do sum = sum + i end
print("sum", sum)
local words = {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do
    words[#words + 1] = word
end
table.sort(words, function(a, b) return #a < #b or #a == #b and a < b end)
print(table.concat(words, " "))
local name = os.tmpname()
local file = assert(io.open(name, "w"))
for i = 1, 10000 do file:write(i, "\n") end
file:close()
local count, total = 0, 0
for line in io.lines(name) do count, total = count + 1, total + tonumber(line) end
print(count, total, os.remove(name))
local pipe = assert(io.popen("echo from a shell", "r"))
print(pipe:read("a"), pipe:close())
print(select(2, pcall(error, { code = 7 })).code)
print(string.format("%5.2f %q %x", math.pi, "a\nb", 255), 7 // 2, 2 ^ 53 | 0)
local big = {}
for i = 1, 200000 do big[i] = { i } end
big = nil
collectgarbage()
print(collectgarbage("count") < 5000)
