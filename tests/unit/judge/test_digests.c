#include "story.h"
#include <criterion/criterion.h>
