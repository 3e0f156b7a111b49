// SPDX-License-Identifier: GPL-2.0
/* The kept inputs once, by any compiler: what libFuzzer does with -runs=0. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *name)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(name, "r");
	size_t size;

	if (!file) {
		perror(name);
		exit(1);
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%d inputs\n", argc - 1);
	return argc < 2;
}
