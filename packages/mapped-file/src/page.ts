/** RocketMQ's OS_PAGE_SIZE, in which least pages are counted, whatever the machine's page is. */
export const PAGE_LENGTH = 4096;
