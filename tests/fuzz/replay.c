/*
 * Runs a fuzz target over every file of its corpus, once, without libFuzzer: past findings stay found in every build.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (!f || fseek(f, 0, SEEK_END))
		return perror(path), 1;
	size = (size_t)ftell(f);
	rewind(f);
	data = malloc(size ? size : 1);
	if (!data || fread(data, 1, size, f) != size)
		return perror(path), 1;
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	int count = 0, failed = 0;

	if (!dir)
		return fprintf(stderr, "usage: replay CORPUS\n"), 2;
	while ((entry = readdir(dir))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
		failed |= replay(path);
		count++;
	}
	closedir(dir);
	printf("%d inputs replayed\n", count);
	return failed || !count;
}
