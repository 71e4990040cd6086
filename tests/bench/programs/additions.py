total = 0
i = 0
while i < 10_000_000:
    total = total + i
    i = i + 1
print(total)
