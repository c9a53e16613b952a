/** Says that more has come, or that the order is another by now, and shows it when the reader wants it. */
import ArrowUpward from '@mui/icons-material/ArrowUpward';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';

export function NewRowsPill({
  waiting,
  isReordered,
  onShow,
}: {
  waiting: number;
  isReordered: boolean;
  onShow: () => void;
}) {
  const label = waiting > 0 ? `${waiting} new` : isReordered ? 'Order changed' : undefined;
  return (
    <Box
      role="status"
      sx={{
        position: 'sticky',
        top: 'calc(var(--funnelai-top, 48px) + 44px)',
        height: 0,
        zIndex: 8,
        display: 'flex',
        justifyContent: 'center',
      }}
    >
      {label && (
        <Button
          variant="contained"
          startIcon={<ArrowUpward />}
          onClick={() => {
            window.scrollTo({ top: 0 });
            onShow();
          }}
          sx={{ borderRadius: 4, height: 28, minHeight: 28 }}
        >
          {label}
        </Button>
      )}
    </Box>
  );
}
