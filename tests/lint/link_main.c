/* The program of the link tests: see link.sh. */
int main(void);

int
main(void)
{
	return 0;
}
