#include <stdio.h>
#include <wasm_simd128.h>
int main(void) {
    float xs[64], sum[4];
    for (int i = 0; i < 64; i++) xs[i] = i * 0.5f;
    v128_t total = wasm_f32x4_splat(0);
    for (int i = 0; i < 64; i += 4) total = wasm_f32x4_add(total, wasm_f32x4_sqrt(wasm_v128_load(xs + i)));
    wasm_v128_store(sum, total);
    printf("%.4f\n", sum[0] + sum[1] + sum[2] + sum[3]);
}
