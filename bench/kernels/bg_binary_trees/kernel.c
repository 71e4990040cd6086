#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Tree { struct Tree *left, *right; } Tree;

static Tree *make(int64_t depth) {
    Tree *tree = calloc(1, sizeof *tree);
    if (depth == 0) return tree;
    tree->left = make(depth - 1);
    tree->right = make(depth - 1);
    return tree;
}

static int64_t check(const Tree *tree) {
    if (!tree->left) return 1;
    return 1 + check(tree->left) + check(tree->right);
}

static void release(Tree *tree) {
    if (tree->left) {
        release(tree->left);
        release(tree->right);
    }
    free(tree);
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int i = 0; i < 600; i++) {
        Tree *tree = make(n);
        result += check(tree);
        release(tree);
    }
    printf("%" PRId64 "\n", result);
    return 0;
}
