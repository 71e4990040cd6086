m = {}
for i in range(1_000_000):
    m[i * 7] = i
print(len(m), m[70])
