#include "cmd/common/ms.h"

int
main(int argc, char **argv)
{
	return ms_main(MS_PEAR, argc, argv);
}
